"""Objects as files in a folder of this machine, for many processes of it.

URLs: ``folder://:KEY@/folder/of/objects?at=http://127.0.0.1:8333/products``; signed URLs begin with ``at``, where
somebody with the same key opens the `door`.
"""

from urllib.parse import parse_qs, unquote, urlsplit

from shoal.drivers.base.door import Door
from shoal.drivers.base.objects import ObjectStore
from shoal.drivers.base.signing import Signer
from shoal.drivers.folder.objects import FolderObjects
from shoal.errors import DeclarationError

__all__ = ["FolderObjects", "door", "objects"]


def objects(url: str) -> ObjectStore:
    """Return the objects of a URL, not yet open."""
    return _open(url)[0]


def door(url: str) -> Door:
    """Return what opens the objects of a URL to clients."""
    return Door(*_open(url))


def _open(url: str) -> tuple[FolderObjects, Signer]:
    parts = urlsplit(url)
    at, key = parse_qs(parts.query).get("at", [""])[0], unquote(parts.password or "")
    if not at or not key or parts.path in ("", "/"):
        raise DeclarationError(
            "the folder address lacks a part", hint="folder://:KEY@/folder?at=http://127.0.0.1:8333/x"
        )
    signer = Signer(key, at)
    return FolderObjects(unquote(parts.path), signer), signer
