"""Google Cloud KMS as a key ring. URLs: ``cloudkms:///projects/P/locations/L/keyRings/R/cryptoKeys/K``.

A host names a regional endpoint; ``tls=0`` is for emulators on loopback.
"""

from urllib.parse import parse_qs, unquote, urlsplit

from shoal.drivers.base import KeyRing
from shoal.drivers.base.endpoint import endpoint
from shoal.drivers.base.rest import Rest
from shoal.drivers.cloudkms.ring import KEY, PRODUCT, GoogleKeyRing
from shoal.drivers.google.identity import bearer
from shoal.errors import DeclarationError

__all__ = ["key_ring"]

_USE = "cloudkms:///projects/P/locations/L/keyRings/R/cryptoKeys/K"
_PLACE = "https://cloudkms.googleapis.com"


def key_ring(url: str) -> KeyRing:
    """Return the ring whose key the URL names."""
    parts = urlsplit(url)
    given = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    key = unquote(parts.path.removeprefix("/"))
    if unknown := sorted(given.keys() - {"tls"}):
        raise DeclarationError(f"the cloudkms address has an unknown parameter {unknown[0]!r}", hint=f"use: {_USE}")
    if not KEY.fullmatch(key):
        raise DeclarationError(f"the cloudkms address names no key: {key!r}", hint=f"use: {_USE}")
    base = endpoint(parts.scheme, parts.netloc, parts.hostname or "", given.get("tls", "1"), PRODUCT) or _PLACE
    rest = Rest(PRODUCT)
    return GoogleKeyRing(rest, base, bearer(rest), key)
