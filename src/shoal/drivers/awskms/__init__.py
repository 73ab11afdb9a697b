"""AWS KMS as a key ring. URLs: ``awskms:///KEY?region=eu-central-1``; the key's id or ARN, or ``alias/NAME``.

Keys of the machine are used, or ``awskms://ACCESS:SECRET@HOST:PORT/KEY`` names others and another place.
"""

from shoal.drivers.aws import address
from shoal.drivers.aws.client import AwsClient
from shoal.drivers.awskms.ring import KmsKeyRing
from shoal.drivers.base import KeyRing
from shoal.errors import DeclarationError

__all__ = ["key_ring"]


def key_ring(url: str) -> KeyRing:
    """Return the ring whose key the URL names."""
    found = address.read(url)
    if not found.name:
        raise DeclarationError("the awskms address names no key", hint="awskms:///alias/NAME?region=...")
    return KmsKeyRing(AwsClient("kms", found, connections=4), found.name, found.place)
