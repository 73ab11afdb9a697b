"""The address of a service's objects in Azure: ``azblob://ACCOUNT.blob.core.windows.net/CONTAINER``.

Without a key a service is known by its identity (see `shoal.drivers.azure.identity`). With one the account is named
beside it: ``azblob://ACCOUNT:KEY@ACCOUNT.blob.core.windows.net/CONTAINER``; a host that is not called after the account
is an emulator, which wants the account in its paths. ``tls=0`` is for emulators on loopback.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from shoal.drivers.base.endpoint import endpoint
from shoal.errors import DeclarationError

PRODUCT = "Azure Blob Storage"

_CONTAINER = re.compile(r"[a-z0-9](-?[a-z0-9]){2,62}")
_USE = "azblob://ACCOUNT.blob.core.windows.net/CONTAINER"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobAddress:
    """Where a container is, and who we are there.

    Args:
        base: URL of the account, without a slash at its end.
        account: Its name.
        key: Its key; empty where an identity is asked for.
        container: Name of the container; empty for who makes some.
    """

    base: str
    account: str
    key: bytes = field(default=b"", repr=False)
    container: str = ""


def read(url: str) -> BlobAddress:
    """Read an address.

    Raises:
        DeclarationError: It is none, or secrets would go over an open network.
    """
    parts = urlsplit(url)
    given = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    if unknown := sorted(given.keys() - {"tls"}):
        raise DeclarationError(f"the {parts.scheme} address has an unknown parameter {unknown[0]!r}", hint="use: tls")
    host, container = parts.hostname or "", unquote(parts.path.removeprefix("/"))
    account = unquote(parts.username or "")
    if not host or bool(account) != bool(parts.password):
        hint = f"use {_USE}, with ACCOUNT:KEY@ before the host where no identity is used"
        raise DeclarationError(f"the {parts.scheme} address names no account", hint=hint)
    if container and not _CONTAINER.fullmatch(container):
        hint = f"use {_USE}; a container has 3 to 63 lower-case letters, digits and single '-'"
        raise DeclarationError(f"the {parts.scheme} address names no container: {container!r}", hint=hint)
    base = endpoint(parts.scheme, parts.netloc.rpartition("@")[2], host, given.get("tls", "1"), PRODUCT)
    own = host.partition(".")[0]
    inside = f"/{account}" if account and account != own else ""
    return BlobAddress(
        base=base + inside, account=account or own, key=_key(unquote(parts.password or "")), container=container
    )


def _key(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise DeclarationError(
            "the azblob address has a key that is none of an account",
            hint="write it in base64, as Azure shows it, with %2B for '+', %2F for '/' and %3D for '='",
        ) from None
