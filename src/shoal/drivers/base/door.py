"""The door through which clients get and bring what a signed URL lends them, where the engine has none of its own."""

import re
from collections.abc import AsyncIterable, AsyncIterator, Mapping

import msgspec

from shoal.drivers.base.objects import ABSENT, ObjectStore, Stored, disposition, pieces
from shoal.drivers.base.signing import Grant, Refused, Signer
from shoal.errors import Conflict, EngineError, Unstorable

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")

SAFE = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",  # what somebody brought runs nothing here
    "access-control-allow-origin": "*",  # who has the address has the right; no cookie is ever looked at
    "access-control-expose-headers": "etag",
}
"""Headers of every answer."""

PREFLIGHT = {
    "access-control-allow-methods": "GET, HEAD, PUT",
    "access-control-allow-headers": "content-type, if-none-match, range",
    "access-control-max-age": "3600",
}


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: AsyncIterator[bytes] | None = None


class Door:
    """Opens one service's objects to signed URLs."""

    def __init__(self, objects: ObjectStore, signer: Signer) -> None:
        self._objects, self._signer = objects, signer

    async def answer(self, method: str, url: str, headers: Mapping[str, str], body: AsyncIterable[bytes]) -> Answer:
        """Answer a request; names of headers are lower case."""
        if method == "OPTIONS":
            return Answer(204, {**SAFE, **PREFLIGHT})
        try:
            return await self._opened(method, url, headers, body)
        except Refused as refused:
            return refuse(403, str(refused))
        except Conflict:
            return refuse(412, "an object is there already, and no address writes twice")
        except Unstorable as error:
            return refuse(400, error.message)
        except EngineError as error:
            return refuse(503, error.message)

    async def _opened(self, method: str, url: str, headers: Mapping[str, str], body: AsyncIterable[bytes]) -> Answer:
        if method in ("GET", "HEAD"):
            return await self._get(self._signer.read("GET", url), headers, whole=method == "GET")
        if method == "PUT":
            return await self._put(self._signer.read("PUT", url), headers, body)
        return refuse(405, "use GET, HEAD or PUT")

    async def _get(self, grant: Grant, headers: Mapping[str, str], *, whole: bool) -> Answer:
        found = await self._objects.head(grant.name)
        if found is None:
            return refuse(404, "there is no such object")
        span = _span(headers.get("range", ""), found.size)
        start, stop = span or (0, found.size)
        if span is not None and start >= found.size:
            return Answer(416, {**SAFE, "content-range": f"bytes */{found.size}"})
        body = await self._objects.read(grant.name, start, stop) if whole else None
        told = _told(found, grant) | {"content-length": str(stop - start)}
        if span is None:
            return Answer(200, told, body)
        return Answer(206, told | {"content-range": f"bytes {start}-{stop - 1}/{found.size}"}, body)

    async def _put(self, grant: Grant, headers: Mapping[str, str], body: AsyncIterable[bytes]) -> Answer:
        if headers.get("content-length") != str(grant.size):
            return refuse(403, f"this address takes exactly {grant.size} bytes")
        if headers.get("content-type") != grant.type:
            return refuse(403, f"this address takes {grant.type}")
        stored = await self._objects.put(grant.name, _exactly(grant.size, body), grant.type, expect=ABSENT)
        return Answer(200, {**SAFE, "etag": f'"{stored.etag}"', "content-length": "0"})


def refuse(status: int, why: str) -> Answer:
    """Say no."""
    told = f"{why}\n".encode()
    sizes = {"content-type": "text/plain; charset=utf-8", "content-length": str(len(told))}
    return Answer(status, {**SAFE, **sizes}, pieces(told))


async def _exactly(size: int, body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Hand over a body that must have so many bytes; a client that goes away has brought fewer."""
    count = 0
    async for piece in body:
        count += len(piece)
        yield piece
    if count != size:
        raise Unstorable(f"{count} of {size} bytes came")


def _told(found: Stored, grant: Grant) -> dict[str, str]:
    how = disposition(grant.download)
    return {
        **SAFE, "content-type": found.type, "content-disposition": how, "etag": f'"{found.etag}"',
        "accept-ranges": "bytes", "cache-control": "private, max-age=0, must-revalidate",
    }  # fmt: skip


def _span(asked: str, size: int) -> tuple[int, int] | None:
    """Read a range of bytes (RFC 9110, 14.1.2); None for what is none, or several, which may be passed over."""
    found = _RANGE.fullmatch(asked)
    if found is None or asked == "bytes=-":
        return None
    first, last = found.groups()
    if not first:
        return max(size - int(last), 0), size
    stop = min(int(last) + 1, size) if last else size
    return (int(first), stop) if int(first) < stop or int(first) >= size else None
