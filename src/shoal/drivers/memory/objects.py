"""Objects in a dictionary: the reference of the contract."""

import secrets
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from datetime import UTC, datetime

from shoal.drivers.base.door import Door
from shoal.drivers.base.objects import (
    ABSENT,
    PIECE,
    Stored,
    Upload,
    check_digest,
    check_name,
    check_seconds,
    check_type,
    digest,
    pieces,
)
from shoal.drivers.base.signing import Signer
from shoal.errors import Conflict

PLACE = "http://objects.invalid"
"""How its URLs begin; nobody is there (RFC 2606) but whoever has the `door`."""


class MemoryObjects:
    """Implements `base.objects.ObjectStore`."""

    def __init__(self, name: str = "memory", now: Callable[[], float] = time.time) -> None:
        self._objects: dict[str, tuple[Stored, bytes]] = {}
        self._now = now
        self._signer = Signer(secrets.token_hex(), f"{PLACE}/{name}", now)
        self.door = Door(self, self._signer)

    async def open(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    async def put(
        self,
        name: str,
        content: bytes | AsyncIterable[bytes],
        type: str,
        *,
        expect: str | None = None,
        sha256: str = "",
    ) -> Stored:
        """Keep an object, once all of it is there."""
        check_name(name), check_type(type)
        whole = b"".join([piece async for piece in pieces(content)])
        found = digest(whole)
        check_digest(name, found, sha256)
        known = self._objects.get(name)
        if expect is not None and expect != (known[0].etag if known else ABSENT):
            raise Conflict(f"object {name} is not as it was expected")
        modified = datetime.fromtimestamp(self._now(), UTC)
        stored = Stored(name=name, size=len(whole), type=type, etag=found[:32], modified=modified, sha256=found)
        self._objects[name] = stored, whole
        return stored

    async def get(self, name: str) -> bytes | None:
        """Return an object's content."""
        found = self._objects.get(check_name(name))
        return None if found is None else found[1]

    async def read(self, name: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes] | None:
        """Cut an object's content."""
        found = await self.get(name)
        return None if found is None else _cut(found[start:stop])

    async def head(self, name: str) -> Stored | None:
        """Say what is known."""
        found = self._objects.get(check_name(name))
        return None if found is None else found[0]

    async def delete(self, name: str) -> None:
        """Forget an object."""
        self._objects.pop(check_name(name), None)

    async def list(self, prefix: str = "", *, after: str = "", limit: int = 1000) -> Sequence[Stored]:
        """Sort the names."""
        names = sorted(name for name in self._objects if name.startswith(prefix) and name > after)
        return [self._objects[name][0] for name in names[:limit]]

    async def link(self, name: str, seconds: float, *, download: str = "") -> str:
        """Sign a URL that `door` opens."""
        return self._signer.sign("GET", check_name(name), check_seconds(seconds), download=download)

    async def upload(self, name: str, seconds: float, *, type: str, size: int) -> Upload:
        """Sign a URL that `door` opens, once."""
        url = self._signer.sign("PUT", check_name(name), check_seconds(seconds), type=check_type(type), size=size)
        return Upload(url=url, headers={"content-type": type, "if-none-match": "*"})


async def _cut(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), PIECE):
        yield content[start : start + PIECE]
