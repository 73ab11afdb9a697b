"""Objects in Azure Blob Storage. URLs: ``azblob://ACCOUNT.blob.core.windows.net/CONTAINER`` (see `address`).

One service has one container.
"""

from shoal.drivers.azblob.address import read
from shoal.drivers.azblob.admin import BlobAdmin
from shoal.drivers.azblob.objects import BlobObjects
from shoal.drivers.azblob.service import BlobService
from shoal.drivers.base.objects import ObjectsAdmin, ObjectStore
from shoal.errors import DeclarationError

__all__ = ["BlobAdmin", "BlobObjects", "objects", "objects_admin"]


def objects(url: str) -> ObjectStore:
    """Return the objects of a URL, not yet open."""
    address = read(url)
    if not address.container:
        raise DeclarationError(
            f"the address of objects at {address.base} names no container",
            hint="azblob://ACCOUNT.blob.core.windows.net/CONTAINER",
        )
    return BlobObjects(address, BlobService(address))


def objects_admin(url: str) -> ObjectsAdmin:
    """Return who makes containers, by a URL that may name none."""
    return BlobAdmin(BlobService(read(url)))
