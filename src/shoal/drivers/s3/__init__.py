"""Objects by Amazon S3's interface, which others speak as well; its library is imported when they are opened.

URLs: ``s3://ACCESS:SECRET@HOST:PORT/BUCKET?region=eu-central-1`` (see `shoal.drivers.aws.address`), and
``gcs://ACCESS:SECRET@/BUCKET`` with an HMAC key for Google Cloud Storage, which has the same interface but for
conditions on writes. One service has one bucket.
"""

from shoal.drivers.aws.address import AwsAddress, read
from shoal.drivers.base.objects import ObjectsAdmin, ObjectStore
from shoal.drivers.s3.admin import S3Admin
from shoal.drivers.s3.objects import S3Objects
from shoal.errors import DeclarationError

__all__ = ["S3Admin", "S3Objects", "objects", "objects_admin"]

_GOOGLE = "https://storage.googleapis.com"


def objects(url: str) -> ObjectStore:
    """Return the objects of a URL, not yet open."""
    address = _address(url)
    if not address.name or "/" in address.name:
        raise DeclarationError(
            f"the address of objects at {address.place} names no bucket", hint="s3:///shop-products?region=eu-central-1"
        )
    return S3Objects(address, conditions=not url.startswith("gcs:"))


def objects_admin(url: str) -> ObjectsAdmin:
    """Return who makes buckets, by the URL of the operator, which names none."""
    return S3Admin(_address(url))


def _address(url: str) -> AwsAddress:
    if not url.startswith("gcs:"):
        return read(url)
    address = read(url)
    return AwsAddress(
        region=address.region or "auto", endpoint=address.endpoint or _GOOGLE, access=address.access,
        secret=address.secret, name=address.name, options=address.options,
    )  # fmt: skip
