"""`Sessions` over a driver: kept under the hash of an id that only the visitor has."""

import functools
import hashlib
import secrets
from typing import Any, TypeVar

from shoal.errors import Contended
from shoal.runtime.cache.guard import Guarded
from shoal.runtime.cache.values import check_ttl, read_as, swap
from shoal.service import codec
from shoal.service.cache import SESSION

T = TypeVar("T")

_TRIES = 16
"""Swaps that may fail because other requests of the same visitor were quicker."""


class VisitorSessions:
    """Implements `shoal.Sessions`."""

    def __init__(self, guarded: Guarded) -> None:
        self._guarded = guarded

    async def begin(self, value: object, *, ttl: float = SESSION) -> str:
        """Begin a session."""
        check_ttl(ttl)
        id_ = secrets.token_urlsafe(32)
        await self._guarded.ask("session", lambda cache: cache.set({_name(id_): codec.encode(value)}, ttl))
        return id_

    async def find(self, kind: type[T], id: str, *, ttl: float = SESSION) -> T | None:
        """Read what is remembered, and prolong it."""
        check_ttl(ttl)
        body = await self._guarded.ask("session", lambda cache: cache.keep(_name(id), ttl))
        value: T | None = read_as(kind, body)
        return value

    async def save(self, id: str, value: object, *, ttl: float = SESSION) -> bool:
        """Remember something else."""
        check_ttl(ttl)
        name, body = _name(id), codec.encode(value)
        for _ in range(_TRIES):
            (found,) = await self._guarded.ask("session", lambda cache: cache.get((name,)))
            if found is None:
                return False
            if await self._guarded.ask("session", functools.partial(swap, name, found, body, ttl)):
                return True
        raise Contended("a session is changed by too many requests at a time", hint="save once for each request")

    async def rotate(self, id: str, value: object, *, ttl: float = SESSION) -> str:
        """Go on under a new id. The old one ends first: in between nobody is signed in, rather than a stranger."""
        check_ttl(ttl)
        await self.end(id)
        return await self.begin(value, ttl=ttl)

    async def end(self, id: str) -> None:
        """End a session."""
        await self._guarded.ask("session", lambda cache: cache.delete((_name(id),)))


def _name(id_: Any) -> str:
    """Name a session; who sees what the engine holds cannot take part in it."""
    return f"~{hashlib.sha256(str(id_).encode()).hexdigest()}"
