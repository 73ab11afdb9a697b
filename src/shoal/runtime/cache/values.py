"""`CacheStore` and `ShortLived` over a driver: values as JSON, told apart by class and key."""

import functools
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from shoal.drivers.base import Cache
from shoal.errors import Contended, DeclarationError
from shoal.runtime.cache.guard import Guarded
from shoal.service import codec

T = TypeVar("T")

MOST = 366 * 86_400.0
"""Seconds for which a value may be kept."""

_TRIES = 64
"""Swaps that may fail because others were quicker."""


class Values:
    """Implements `shoal.CacheStore`."""

    def __init__(self, guarded: Guarded) -> None:
        self._guarded = guarded

    async def get(self, kind: type[T], key: str) -> T | None:
        """Read one value."""
        return (await self.get_many(kind, (key,))).get(key)

    async def get_many(self, kind: type[T], keys: Sequence[str]) -> dict[str, T]:
        """Read values."""
        spelled = [name_of(kind, key) for key in keys]
        nothing: list[bytes | None] = [None] * len(keys)
        found = await self._guarded.attempt("get", lambda cache: cache.get(spelled), nothing)
        read = {key: read_as(kind, body) for key, body in zip(keys, found, strict=True)}
        return {key: value for key, value in read.items() if value is not None}

    async def put(self, key: str, value: object, *, ttl: float) -> None:
        """Write one value."""
        await self.put_many({key: value}, ttl=ttl)

    async def put_many(self, values: Mapping[str, object], *, ttl: float) -> None:
        """Write values."""
        spelled = {name_of(type(value), key): codec.encode(value) for key, value in values.items()}
        check_ttl(ttl)
        await self._guarded.attempt("put", lambda cache: cache.set(spelled, ttl), None)

    async def delete(self, kind: type[Any], *keys: str) -> None:
        """Remove values."""
        spelled = [name_of(kind, key) for key in keys]
        await self._guarded.attempt("delete", lambda cache: cache.delete(spelled), None)


class Lasting:
    """Implements `shoal.ShortLived`."""

    def __init__(self, guarded: Guarded) -> None:
        self._guarded = guarded

    async def get(self, kind: type[T], key: str) -> T | None:
        """Read one value."""
        (found,) = await self._guarded.ask("get", lambda cache: cache.get((name_of(kind, key),)))
        value: T | None = read_as(kind, found)
        return value

    async def put(self, key: str, value: object, *, ttl: float) -> None:
        """Write one value."""
        check_ttl(ttl)
        spelled = {name_of(type(value), key): codec.encode(value)}
        await self._guarded.ask("put", lambda cache: cache.set(spelled, ttl))

    async def update(self, kind: type[T], key: str, change: Callable[[T | None], T | None], *, ttl: float) -> T | None:
        """Replace a value."""
        check_ttl(ttl)
        name = name_of(kind, key)
        for _ in range(_TRIES):
            (found,) = await self._guarded.ask("get", lambda cache: cache.get((name,)))
            made = change(read_as(kind, found))
            body = None if made is None else codec.encode(made)
            if await self._guarded.ask("update", functools.partial(swap, name, found, body, ttl)):
                return made
        raise Contended(f"others changed {name} {_TRIES} times meanwhile", hint="try again; or keep less in one value")

    async def delete(self, kind: type[Any], *keys: str) -> None:
        """Remove values."""
        spelled = [name_of(kind, key) for key in keys]
        await self._guarded.ask("delete", lambda cache: cache.delete(spelled))

    async def count(self, name: str, amount: int = 1, *, ttl: float) -> int:
        """Add to a counter."""
        check_ttl(ttl)
        return await self._guarded.ask("count", lambda cache: cache.add(f"+{name}", amount, ttl))


async def swap(name: str, expected: bytes | None, value: bytes | None, ttl: float, cache: Cache) -> bool:
    """Write a value in place of another, as a step of which only the cache is open."""
    return await cache.swap(name, expected, value, ttl)


def name_of(kind: Any, key: str) -> str:
    """Name a value: by its class and the class's module, without the parameters that only a type has."""
    origin = typing.get_origin(kind) or kind
    return f"{getattr(origin, '__module__', '')}.{getattr(origin, '__qualname__', origin)}/{key}"


@functools.lru_cache(maxsize=256)
def _codec(kind: Any) -> codec.Codec[Any]:
    return codec.Codec(kind)


def read_as(kind: Any, body: bytes | None) -> Any:
    """Read a value; what is no longer of this shape is not there."""
    if body is None:
        return None
    try:
        return _codec(kind).decode(body)
    except codec.Malformed:
        return None


def check_ttl(ttl: float) -> None:
    """Refuse a time after which nothing, or everything, would be kept."""
    if not 0 < ttl <= MOST:
        raise DeclarationError(f"a value kept for ttl={ttl!r} s", hint=f"use 0 < ttl <= {MOST:g}")
