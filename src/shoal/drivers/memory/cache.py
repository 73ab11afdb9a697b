"""The reference of a cache, in one process: what has ended is gone as soon as somebody looks."""

import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from shoal.drivers.base import Found

_SWEEP = 1024
"""After so many writes, what has ended is removed also where nobody looks."""


class _Kept(msgspec.Struct):
    value: bytes
    until: float


class MemoryCache:
    """A `base.Cache`.

    Args:
        monotonic: Seconds that only grow; tests move them.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._now = monotonic
        self._kept: dict[str, _Kept] = {}
        self._claims: dict[str, _Kept] = {}
        self._leases: dict[str, _Kept] = {}
        self._last = 0
        self._writes = 0

    async def open(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    async def ping(self) -> None:
        """Do nothing: it always answers."""

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Read values."""
        return [self._value(self._kept, key) for key in keys]

    async def look(self, key: str) -> Found | None:
        """Read one value and its time."""
        kept = self._find(self._kept, key)
        return None if kept is None else Found(kept.value, kept.until - self._now())

    async def set(self, values: Mapping[str, bytes], ttl: float) -> None:
        """Write values."""
        for key, value in values.items():
            self._put(self._kept, key, value, ttl)

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove values and the claims to them."""
        for key in keys:
            self._kept.pop(key, None)
            self._claims.pop(key, None)

    async def swap(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        """Write a value in place of another."""
        if self._value(self._kept, key) != expected:
            return False
        if value is None:
            self._kept.pop(key, None)
        else:
            self._put(self._kept, key, value, ttl)
        return True

    async def keep(self, key: str, ttl: float) -> bytes | None:
        """Read a value and prolong it."""
        kept = self._find(self._kept, key)
        if kept is None:
            return None
        kept.until = self._now() + ttl
        return kept.value

    async def add(self, key: str, amount: int, ttl: float) -> int:
        """Add to a counter."""
        kept = self._find(self._kept, key)
        if kept is None:
            self._put(self._kept, key, b"%d" % amount, ttl)
            return amount
        total = int(kept.value) + amount
        kept.value = b"%d" % total
        return total

    async def claim(self, key: str, token: bytes, ttl: float) -> bool:
        """Become the one who fills a value in."""
        if self._find(self._claims, key) is not None:
            return False
        self._put(self._claims, key, token, ttl)
        return True

    async def fill(self, key: str, token: bytes, value: bytes, ttl: float) -> bool:
        """Write a value under a claim."""
        if self._value(self._claims, key) != token:
            return False
        del self._claims[key]
        self._put(self._kept, key, value, ttl)
        return True

    async def disclaim(self, key: str, token: bytes) -> None:
        """Give a claim up."""
        if self._value(self._claims, key) == token:
            del self._claims[key]

    async def acquire(self, name: str, ttl: float) -> int | None:
        """Take a lease."""
        if self._find(self._leases, name) is not None:
            return None
        self._last += 1
        self._put(self._leases, name, b"%d" % self._last, ttl)
        return self._last

    async def renew(self, name: str, token: int, ttl: float) -> bool:
        """Prolong a lease."""
        held = self._find(self._leases, name)
        if held is None or held.value != b"%d" % token:
            return False
        held.until = self._now() + ttl
        return True

    async def release(self, name: str, token: int) -> bool:
        """Give a lease up."""
        if self._value(self._leases, name) != b"%d" % token:
            return False
        del self._leases[name]
        return True

    def _find(self, kept: dict[str, _Kept], key: str) -> _Kept | None:
        found = kept.get(key)
        if found is not None and found.until <= self._now():
            del kept[key]
            return None
        return found

    def _value(self, kept: dict[str, _Kept], key: str) -> bytes | None:
        found = self._find(kept, key)
        return None if found is None else found.value

    def _put(self, kept: dict[str, _Kept], key: str, value: bytes, ttl: float) -> None:
        self._writes += 1
        if self._writes % _SWEEP == 0:
            for known in (self._kept, self._claims, self._leases):
                for old in [*known]:
                    self._find(known, old)
        kept[key] = _Kept(value, self._now() + ttl)
