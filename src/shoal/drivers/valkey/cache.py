"""A cache in Valkey.

What one step needs of several keys lies in one slot of a cluster: they share what stands in braces.
"""

import asyncio
from collections.abc import Mapping, Sequence

from shoal.drivers.base import Found
from shoal.drivers.valkey.address import WITHIN
from shoal.drivers.valkey.cluster import Cluster
from shoal.drivers.valkey.link import Link
from shoal.drivers.valkey.scripts import ACQUIRE, ADD, FILL, RELEASE, RENEW, SWAP, Script
from shoal.drivers.valkey.wire import Reply
from shoal.errors import EngineError, Unavailable

COMMANDS = (
    *("+get", "+getex", "+set", "+del", "+exists", "+pttl", "+pexpire", "+incrby"),
    *("+eval", "+evalsha", "+time"),
)
"""What a user of this driver needs; each reaches the user's own keys alone, within scripts too."""

CLUSTER_COMMANDS = ("+cluster|slots", "+asking")
"""What the user of a cluster needs besides."""

_REMEMBERED = 86_400_000
"""Milliseconds for which the last token of a lease is known, should the server's clock be set back."""

_Words = tuple[str | bytes | int, ...]


class ValkeyCache:
    """A `base.Cache`.

    Args:
        link: To the server, or the servers.
        prefix: How every key begins.
        within: Seconds that an answer may take.
    """

    def __init__(self, link: Link | Cluster, prefix: str, *, within: float = WITHIN) -> None:
        self._link, self._prefix, self._within = link, prefix, within

    async def open(self) -> None:
        """Connect."""
        await self.ping()

    async def close(self) -> None:
        """End the connection."""
        await self._link.close()

    async def ping(self) -> None:
        """Ask for a sign of life."""
        await self._ask("PING")

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Read values, each with a command of its own, so that they may lie in several slots."""
        if len(keys) == 1:
            return [_value(await self._ask("GET", self._key(keys[0])))]
        return [_value(found) for found in await self._all([("GET", self._key(key)) for key in keys])]

    async def look(self, key: str) -> Found | None:
        """Read one value and its time."""
        name = self._key(key)
        left, value = await self._all([("PTTL", name), ("GET", name)])
        if not isinstance(value, bytes) or not isinstance(left, int):
            return None
        return Found(value, max(left, 0) / 1000)

    async def set(self, values: Mapping[str, bytes], ttl: float) -> None:
        """Write values."""
        life = _milliseconds(ttl)
        if len(values) == 1:
            ((key, value),) = values.items()
            await self._ask("SET", self._key(key), value, "PX", life)
            return
        await self._all([("SET", self._key(key), value, "PX", life) for key, value in values.items()])

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove values and the claims to them."""
        await self._all([("DEL", name := self._key(key), f"{name}!") for key in keys])

    async def swap(self, key: str, expected: bytes | None, value: bytes | None, ttl: float) -> bool:
        """Write a value in place of another."""
        told = (int(expected is not None), expected or b"", int(value is not None), value or b"", _milliseconds(ttl))
        return await self._run(SWAP, (self._key(key),), *told) == 1

    async def keep(self, key: str, ttl: float) -> bytes | None:
        """Read a value and prolong it."""
        return _value(await self._ask("GETEX", self._key(key), "PX", _milliseconds(ttl)))

    async def add(self, key: str, amount: int, ttl: float) -> int:
        """Add to a counter."""
        found = await self._run(ADD, (self._key(key),), amount, _milliseconds(ttl))
        if not isinstance(found, int):
            raise EngineError(f"Valkey gave {found!r} for a counter")
        return found

    async def claim(self, key: str, token: bytes, ttl: float) -> bool:
        """Become the one who fills a value in."""
        found = await self._ask("SET", f"{self._key(key)}!", token, "NX", "PX", _milliseconds(ttl))
        return found is not None

    async def fill(self, key: str, token: bytes, value: bytes, ttl: float) -> bool:
        """Write a value under a claim."""
        name = self._key(key)
        return await self._run(FILL, (name, f"{name}!"), token, value, _milliseconds(ttl)) == 1

    async def disclaim(self, key: str, token: bytes) -> None:
        """Give a claim up."""
        await self._run(RELEASE, (f"{self._key(key)}!",), token)

    async def acquire(self, name: str, ttl: float) -> int | None:
        """Take a lease."""
        held, last = self._lease(name)
        found = await self._run(ACQUIRE, (held, last), _milliseconds(ttl), _REMEMBERED)
        return int(found) if isinstance(found, bytes) else None

    async def renew(self, name: str, token: int, ttl: float) -> bool:
        """Prolong a lease."""
        return await self._run(RENEW, (self._lease(name)[0],), token, _milliseconds(ttl)) == 1

    async def release(self, name: str, token: int) -> bool:
        """Give a lease up."""
        return await self._run(RELEASE, (self._lease(name)[0],), token) == 1

    def _key(self, key: str) -> str:
        return f"{self._prefix}v{_tagged(key)}"

    def _lease(self, name: str) -> tuple[str, str]:
        held = f"{self._prefix}l{_tagged(name)}"
        return held, f"{held}^"

    async def _ask(self, *words: str | bytes | int) -> Reply:
        try:
            async with asyncio.timeout(self._within):
                return await self._link.call(*words)
        except TimeoutError:
            raise self._silent() from None

    async def _all(self, commands: Sequence[_Words]) -> list[Reply]:
        if not commands:
            return []
        try:
            async with asyncio.timeout(self._within):
                return await self._link.calls(commands)
        except TimeoutError:
            raise self._silent() from None

    async def _run(self, script: Script, keys: tuple[str, ...], *told: str | bytes | int) -> Reply:
        try:
            return await self._ask("EVALSHA", script.digest, len(keys), *keys, *told)
        except EngineError as error:
            if "NOSCRIPT" not in str(error):
                raise
        return await self._ask("EVAL", script.text, len(keys), *keys, *told)

    def _silent(self) -> Unavailable:
        return Unavailable(f"Valkey at {self._link.place} did not answer within {self._within:g} s")


def _tagged(key: str) -> str:
    """Put a key into braces; one whose braces would be taken for empty has something in them, and is not another's."""
    return f"{{{key}}}" if key and key[0] != "}" else f"/{{/{key}}}"


def _value(found: Reply) -> bytes | None:
    return found if isinstance(found, bytes) else None


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
