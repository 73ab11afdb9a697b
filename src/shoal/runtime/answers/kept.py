"""Kept answers of one endpoint: found, made, told apart, and given as 304 to who has them already."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import msgspec

from shoal.model.caching import Cache
from shoal.runtime.answers.ends import Ends
from shoal.runtime.request import Request, Response
from shoal.service.context import Principal

LARGEST = 8 * 1024 * 1024
"""Bytes that one endpoint keeps in one process, questions included; the longest unused go first."""

TOO_LARGE = LARGEST // 8
"""Bytes of an answer that is not kept, because it would throw out too many others."""

_OVERHEAD = 1024
"""Bytes that an answer takes besides its texts, about."""

_MOMENTS = frozenset({"exp", "iat", "nbf", "jti", "auth_time"})
"""Claims that differ from token to token of one principal."""

Key = tuple[object, ...]
Marks = tuple[tuple[str, ...], ...]


class Kept(msgspec.Struct, frozen=True):
    """One answer."""

    response: Response
    etag: bytes
    made: float
    marks: Marks
    size: int
    """Bytes that it takes, its question included."""


class Answers:
    """Keeps the answers of one endpoint in this process."""

    def __init__(self, cache: Cache, ends: Ends | None, headers: tuple[str, ...]) -> None:
        self._cache, self._ends = cache, ends
        names = dict.fromkeys((*(name.lower() for name in headers), *cache.vary))
        self._vary = tuple(name.encode() for name in names)
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._size = 0

    async def through(self, request: Request, make: Callable[[], Awaitable[Response]]) -> Response:
        """Answer a request whose caller is already known: with a kept answer, or with one that `make` makes."""
        marks = await self._marks()  # before the data is read: what ends the answer meanwhile shows
        key = self._key(request)
        kept = self._find(key, marks) if marks is not None else None
        if kept is not None:
            return self._give(request, kept, (b"cache-status", b"shoal; hit"))
        response = await make()
        if response.status != 200 or any(name == b"set-cookie" for name, _ in response.headers):
            return response
        kept = Kept(response, _etag(response), time.monotonic(), marks or (), _bytes(key, response))
        if marks is not None and kept.size <= TOO_LARGE:
            self._keep(key, kept)
        return self._give(request, kept, (b"cache-status", b"shoal; fwd=miss"))

    async def _marks(self) -> Marks | None:
        if not self._cache.invalidated_by:
            return ()
        return await self._ends.marks(self._cache.invalidated_by) if self._ends is not None else None

    def _key(self, request: Request) -> Key:
        varying = tuple(request.headers.get(name, b"") for name in self._vary)
        path = request.scope.get("raw_path") or request.path
        return (path, request.scope["query_string"], varying, _who(request.principal))

    def _find(self, key: Key, marks: Marks) -> Kept | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.marks != marks or time.monotonic() - kept.made >= self._cache.seconds:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept

    def _keep(self, key: Key, kept: Kept) -> None:
        self._drop(key)
        self._kept[key] = kept
        self._size += kept.size
        while self._size > LARGEST:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Key) -> None:
        gone = self._kept.pop(key, None)
        self._size -= 0 if gone is None else gone.size

    def _give(self, request: Request, kept: Kept, status: tuple[bytes, bytes]) -> Response:
        vary = (*self._vary, *((b"authorization",) if request.principal is not None else ()))
        headers = [(b"etag", kept.etag), (b"cache-control", self._cache.control.encode()), status]
        headers += [(b"vary", b", ".join(vary))] if vary else []
        if not self._cache.invalidated_by:
            headers.append((b"age", b"%d" % (time.monotonic() - kept.made)))
        if _matches(request.headers.get(b"if-none-match", b""), kept.etag):
            return Response(304, headers, b"")
        own = [(name, value) for name, value in kept.response.headers if name not in (b"etag", b"cache-control")]
        return Response(200, [*own, *headers], kept.response.body)


def _who(principal: Principal | None) -> object:
    """Tell principals apart by everything that a handler could look at, but for the times of a token."""
    if principal is None:
        return None
    claims = {name: value for name, value in principal.claims.items() if name not in _MOMENTS}
    said = (principal.issuer, principal.subject, sorted(principal.roles), sorted(principal.scopes), claims)
    return msgspec.json.encode(said, order="deterministic", enc_hook=repr)


def _bytes(key: object, response: Response) -> int:
    """Measure what would be kept; who asks says how long the question is."""
    headers = sum(len(name) + len(value) for name, value in response.headers)
    return len(response.body) + headers + _length(key) + _OVERHEAD


def _length(key: object) -> int:
    if isinstance(key, tuple):
        return sum(map(_length, key))
    return len(key) if isinstance(key, bytes | str) else 0


def _etag(response: Response) -> bytes:
    """Name the content: the same bytes have the same name, in every replica (a strong validator, RFC 9110, 8.8.3)."""
    digest = hashlib.blake2b(response.body, digest_size=16)
    digest.update(repr(sorted(response.headers)).encode())
    return f'"{digest.hexdigest()}"'.encode()


def _matches(wanted: bytes, etag: bytes) -> bool:
    """Compare weakly, as ``If-None-Match`` is (RFC 9110, 13.1.2): a proxy that compresses makes names weak."""
    names = [name.strip().removeprefix(b"W/") for name in wanted.split(b",")]
    return etag in names or names == [b"*"]
