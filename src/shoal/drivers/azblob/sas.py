"""Shared access signatures: URLs that lend one blob for a time.

Sources: Azure Storage REST reference, "Create a service SAS" and "Create a user delegation SAS" (version 2020-12-06 and
later).
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import msgspec

VERSION = "2023-11-03"
"""Of the interface that is spoken, and of these signatures."""

READ, CREATE = "r", "c"
"""Rights: to read a blob; to write one where there is none, in one request."""


class Signing(msgspec.Struct, frozen=True, kw_only=True):
    """What signs.

    Args:
        key: The key.
        names: Whose it is, as lines of what is signed.
        said: The same as parameters of the URL.
        ends: When what it signs ends at the latest.
    """

    key: bytes
    names: Sequence[str] = ("",)
    said: Mapping[str, str] = {}
    ends: datetime = datetime.max.replace(tzinfo=UTC)

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Signing(***)"


def grant(signing: Signing, blob: str, right: str, until: datetime, *, secure: bool, show: str = "") -> str:
    """Write the parameters of a URL that lends a blob.

    Args:
        signing: With which key.
        blob: ``ACCOUNT/CONTAINER/NAME``.
        right: What it allows.
        until: When it ends.
        secure: Whether it is to be used over TLS only.
        show: ``Content-Disposition`` of the answer.
    """
    given = {"sp": right, "se": stamp(until), "spr": "https" if secure else "", "sv": VERSION, "sr": "b", "rscd": show}
    lines = [given["sp"], "", given["se"], f"/blob/{blob}", *signing.names, "", given["spr"], VERSION, "b"]
    lines += ["", "", "", show, "", "", ""]  # snapshot, scope of encryption; headers of the answer
    asked = {name: value for name, value in given.items() if value}
    return urlencode({**asked, **signing.said, "sig": sign(signing.key, "\n".join(lines))}, quote_via=quote, safe="")


def sign(key: bytes, text: str) -> str:
    """Sign a text as all of Azure's storage does."""
    return base64.b64encode(hmac.digest(key, text.encode(), hashlib.sha256)).decode()


def stamp(time: datetime) -> str:
    """Write a time in whole seconds."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
