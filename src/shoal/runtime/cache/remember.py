"""Results of functions: found, or made once for all who ask, in this process and in the others.

Within a process the first who asks does the work and the others wait for him. Among processes the right to make a
result is a *claim* in the cache. An event that ends a result removes it together with its claim, so a result that was
made from what had already changed is given to those who waited, and never kept.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from shoal.drivers.base import Found
from shoal.errors import EngineError
from shoal.runtime.cache.guard import Guarded, Step
from shoal.service import codec
from shoal.service.cached import CachedFunction

CLAIM = 10.0
"""Seconds after which another process may make a result, because whoever began is slow or dead."""

_FIRST, _LONGEST = 0.005, 0.1
"""Seconds between two looks for a result that another process is making."""

_NOTHING = b"null"

Make = Callable[[], Awaitable[Any]]


class Result(msgspec.Struct, frozen=True):
    """What became of a question."""

    outcome: str
    body: bytes
    value: Any


class Remembered:
    """Implements `cached.Remembering` for one running service."""

    def __init__(self, guarded: Guarded) -> None:
        self._guarded = guarded
        self._making: dict[str, asyncio.Future[Result | Exception | None]] = {}

    async def through(self, function: CachedFunction, key: str, make: Make) -> Any:
        """Return a kept result, or one that `make` makes."""
        began = time.monotonic()
        while (making := self._making.get(key)) is not None:
            shared = await asyncio.shield(making)
            if isinstance(shared, Exception):
                raise shared
            if shared is not None:
                self._guarded.count(function.name, "shared", time.monotonic() - began)
                return function.reader.decode(shared.body)  # each has a value of his own
        mine = self._making[key] = asyncio.get_running_loop().create_future()
        told: Result | Exception | None = None  # he was cancelled: one of those who wait takes his place
        try:
            told = await self._find_or_make(function, key, make)
        except Exception as error:
            told = error
            raise
        finally:
            del self._making[key]
            mine.set_result(told)
        self._guarded.count(function.name, told.outcome, time.monotonic() - began)
        return told.value

    async def forget(self, keys: list[str]) -> None:
        """End results, also those that are being made."""
        await self._guarded.attempt("forget", lambda cache: cache.delete(keys), None)

    async def _find_or_make(self, function: CachedFunction, key: str, make: Make) -> Result:
        token, until, pause = secrets.token_bytes(12), time.monotonic() + CLAIM, _FIRST
        while True:
            try:
                found = await self._guarded.ask("look", lambda cache: cache.look(key))
                kept = _read(function, found)
                if kept is not None and found is not None and not _is_old(function, found):
                    return kept
                claimed = await self._guarded.ask("claim", lambda cache: cache.claim(key, token, CLAIM))
            except EngineError:
                return _made("away", await make())
            if claimed:
                return await self._make(function, key, token, make, kept)
            if kept is not None:
                return Result("stale", kept.body, kept.value)
            if time.monotonic() > until:  # its maker is dead, or too slow to wait for
                return _made("late", await make())
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST)

    async def _make(self, function: CachedFunction, key: str, token: bytes, make: Make, old: Result | None) -> Result:
        try:
            made = _made("miss", await make())
        except BaseException as error:
            await self._disclaim(key, token)
            if old is not None and isinstance(error, Exception):
                return Result("stale", old.body, old.value)
            raise
        ttl = function.absent if made.body == _NOTHING else function.ttl + function.stale
        if ttl:
            fill: Step[bool] = lambda cache: cache.fill(key, token, made.body, ttl)  # noqa: E731 - its type is said
            await self._guarded.attempt("fill", fill, otherwise=False)
        else:
            await self._disclaim(key, token)
        return made

    async def _disclaim(self, key: str, token: bytes) -> None:
        await self._guarded.attempt("disclaim", lambda cache: cache.disclaim(key, token), None)


def _made(outcome: str, value: Any) -> Result:
    return Result(outcome, codec.encode(value), value)


def _read(function: CachedFunction, found: Found | None) -> Result | None:
    """Read a kept result; one of another shape is not there."""
    if found is None:
        return None
    try:
        return Result("hit", found.value, function.reader.decode(found.value))
    except codec.Malformed:
        return None


def _is_old(function: CachedFunction, found: Found) -> bool:
    return found.value != _NOTHING and found.left <= function.stale
