"""A store of objects: bytes under a name, written whole, read whole or in part, and lent by URLs that end."""

import base64
import hashlib
import re
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol
from urllib.parse import quote

import msgspec

from shoal.errors import Unstorable

ABSENT = ""
"""As `expect`: there must be no object of that name."""

LARGEST = 5000 * 1024**2
"""Bytes of one object: as many as every engine takes by one request of a client. Azure has the least."""

LONGEST = 6 * 24 * 3600.0
"""Seconds that a URL can be good for: clouds end it after a week, and the key it is signed with is in use for a day."""

PIECE = 256 * 1024
"""Bytes that are handed over at a time, where a driver cuts what it reads."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")
_LONGEST_NAME = 200
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*(; ?[a-z0-9-]+=[A-Za-z0-9._-]+)?")


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """One object as it is known without its content."""

    name: str
    size: int
    type: str = ""
    """Media type; empty in a list."""
    etag: str
    """Another one for another content; good for `expect`."""
    modified: datetime
    sha256: str = ""
    """Digest of the content, hexadecimal; empty where it did not pass through a driver as a whole, or the engine
    would take anybody's word for it."""


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """What a client needs to write one object: ``PUT url`` with exactly these headers."""

    url: str
    headers: dict[str, str]


class ObjectStore(Protocol):
    """One service's own objects; used by many tasks at a time.

    Names are `/`-separated words of lower-case letters, digits, ``.``, ``_`` and ``-``, at most 200 characters
    (`check_name`); none continues another one behind a ``/``. A write is whole or has not happened, and who reads
    meanwhile has the one content or the other.
    Every method may raise `Unavailable`, the two that sign when they lack a key to sign with; what was asked may then
    have been done.
    """

    async def open(self) -> None:
        """Get ready; asks nobody over a network."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...

    async def put(
        self,
        name: str,
        content: bytes | AsyncIterable[bytes],
        type: str,
        *,
        expect: str | None = None,
        sha256: str = "",
    ) -> Stored:
        """Write an object durably.

        Args:
            name: Its name.
            content: All of it, or its pieces; when these raise, nothing is written.
            type: Its media type.
            expect: The `Stored.etag` that must be there, or `ABSENT`; else `Conflict`. None replaces whatever is there.
            sha256: Digest that it must have, else `Unstorable`, and nothing is written.
        """
        ...

    async def get(self, name: str) -> bytes | None:
        """Read an object whole; None when there is none."""
        ...

    async def read(self, name: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes] | None:
        """Read an object in pieces, from byte `start` up to `stop`; None when there is none.

        All pieces are of one content. A range beyond the end has none.
        """
        ...

    async def head(self, name: str) -> Stored | None:
        """Ask what is known of an object; None when there is none."""
        ...

    async def delete(self, name: str) -> None:
        """Remove an object; nothing happens when there is none."""
        ...

    async def list(self, prefix: str = "", *, after: str = "", limit: int = 1000) -> Sequence[Stored]:
        """List at most `limit` (1 to 1,000) objects whose names begin with `prefix`, behind the name `after`.

        In an order that is the engine's own where one name continues a word of another one (``b-1``, ``b/2``), and
        that of the names otherwise.
        """
        ...

    async def link(self, name: str, seconds: float, *, download: str = "") -> str:
        """Sign a URL by which a client may read an object for a time.

        Args:
            name: Its name; whether it is there is not asked.
            seconds: How long it holds, up to `LONGEST`.
            download: File name under which a browser saves it; shown in the page when empty.
        """
        ...

    async def upload(self, name: str, seconds: float, *, type: str, size: int) -> Upload:
        """Sign a URL by which a client may write an object of this type and size, once, for a time.

        An engine that knows conditions refuses to write where an object is, and one that measures refuses another type
        or size; see its row in the catalog. Whoever takes the object looks at both once more.
        """
        ...


class ObjectsAdmin(Protocol):
    """The operator's side."""

    async def declare(self, places: Sequence[str]) -> None:
        """Make the place of each service's objects, if there is none."""
        ...


def check_name(name: str) -> str:
    """Return a name that every engine takes, else raise `Unstorable`."""
    if len(name) <= _LONGEST_NAME and _NAME.fullmatch(name):
        return name
    raise Unstorable(
        f"{name[:80]!r} is no name of an object",
        hint="use lower-case letters, digits, '.', '_', '-' and '/' between words, at most 200",
    )


def check_type(type: str) -> str:
    """Return a media type that can be a header's value, else raise `Unstorable`."""
    if len(type) <= 100 and _TYPE.fullmatch(type):
        return type
    raise Unstorable(f"{type[:80]!r} is no media type", hint="use lower case, such as image/png")


def check_seconds(seconds: float) -> int:
    """Return how long a URL holds in whole seconds, else raise `Unstorable`."""
    if not 1 <= seconds <= LONGEST:
        raise Unstorable(f"no URL can hold {seconds:g} s", hint="use 1 to 518,400, six days")
    return int(seconds)


def check_digest(name: str, found: str, wanted: str) -> None:
    """Raise `Unstorable` unless a content has the digest that it should have."""
    if wanted and found != wanted.lower():
        raise Unstorable(
            f"the content of {name} has the SHA-256 {found}, not {wanted}", hint="it was changed on its way"
        )


def digest(content: bytes) -> str:
    """Digest a content."""
    return hashlib.sha256(content).hexdigest()


async def pieces(content: bytes | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Hand a content over in pieces, whichever way it was given."""
    if isinstance(content, bytes):
        yield content
        return
    async for piece in content:
        yield piece


async def parts(content: bytes | AsyncIterable[bytes], size: int) -> AsyncIterator[bytes]:
    """Cut a content into parts of one size; the last may be smaller."""
    held = bytearray()
    async for piece in pieces(content):
        held += piece
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held)


def md5(content: bytes) -> str:
    """Digest what is sent as ``Content-MD5`` says it; who is told refuses what was changed on its way."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def disposition(download: str) -> str:
    """Say what a browser does with an object: save it under a name, or show it (RFC 6266)."""
    return f"attachment; filename*=UTF-8''{quote(download, safe='')}" if download else "inline"
