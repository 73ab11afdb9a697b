"""A cache: values with an end, which may be gone before it. Everything here lives at most `ttl` seconds."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec


class Found(msgspec.Struct, frozen=True):
    """A value that is there."""

    value: bytes
    left: float
    """Seconds until it ends."""


class Cache(Protocol):
    """One service's part of a cache; keys are its own and collide with nobody's.

    A step is atomic for one key. Steps over several keys are sent together and are not one step. All may raise
    `Unavailable` when the engine does not answer within the time that the driver was given, and `EngineError` when it
    refuses, such as for want of memory; the step may then have been done.
    """

    async def open(self) -> None:
        """Connect; raises `Unavailable`. What follows connects by itself when it must."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...

    async def ping(self) -> None:
        """Raise `Unavailable` unless the engine answers."""
        ...

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Read values, in the order of `keys`."""
        ...

    async def look(self, key: str) -> Found | None:
        """Read one value, and how long it has left."""
        ...

    async def set(self, values: Mapping[str, bytes], ttl: float) -> None:
        """Write values for `ttl` seconds."""
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove values, and the claims to them: whoever is about to fill one in finds his claim gone."""
        ...

    async def swap(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        """Write `value` if `expected` is what there is, and tell; None is the absence of a value."""
        ...

    async def keep(self, key: str, ttl: float) -> bytes | None:
        """Read a value and give it `ttl` seconds from now on."""
        ...

    async def add(self, key: str, amount: int, ttl: float) -> int:
        """Add to a counter and return its sum; it ends `ttl` seconds after its first addition."""
        ...

    async def claim(self, key: str, token: bytes, ttl: float) -> bool:
        """Become the one who fills a value in, for `ttl` seconds; false when somebody is."""
        ...

    async def fill(self, key: str, token: bytes, value: bytes, ttl: float) -> bool:
        """Write a value and give the claim up; false, and nothing is written, when it is no longer `token`'s."""
        ...

    async def disclaim(self, key: str, token: bytes) -> None:
        """Give a claim up without a value."""
        ...

    async def acquire(self, name: str, ttl: float) -> int | None:
        """Take a lease; its fencing token, larger than any before it of this name, or None when somebody holds it.

        Tokens grow also over a loss of everything that the engine held, as long as its clock does.
        """
        ...

    async def renew(self, name: str, token: int, ttl: float) -> bool:
        """Hold a lease for `ttl` seconds from now on; false when it is no longer `token`'s."""
        ...

    async def release(self, name: str, token: int) -> bool:
        """Give a lease up; false when it was no longer `token`'s."""
        ...
