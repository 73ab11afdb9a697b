"""Three ways to ask one Valkey: our driver, our bare connection, and valkey-py."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from valkey.asyncio import Valkey

from bench.side import Side, Ways
from shoal.drivers.valkey import COMMANDS, ValkeyCache, prefix_of
from shoal.drivers.valkey.link import Door, Link
from shoal.local.engines import start, valkey
from shoal.local.engines.valkey import ValkeyUser

OURS, LINK, CLIENT = "Shoal's driver", "its bare connection", "valkey-py"
USER, PASSWORD, PART = "bench", "bench", "bench"
BATCH = 100
VALUE = b"v" * 200
KEYS = tuple(f"key {number}" for number in range(BATCH))
TTL = 600.0


@asynccontextmanager
async def server() -> AsyncIterator[Door]:
    """Run a Valkey of one's own."""
    with TemporaryDirectory(prefix="sh-", dir="/tmp") as folder:
        place = Path(folder)
        keys = (f"{prefix_of(PART)}*", "raw:*")
        user = ValkeyUser(name=USER, password=PASSWORD, keys=keys, commands=(*COMMANDS, "+client", "+hello"))
        options = valkey.ValkeyOptions(directory=place / "valkey", socket=place / "v", users=(user,))
        running = await start(valkey.recipe(options), on_line=lambda _line: None)
        try:
            yield Door(socket=options.socket, user=USER, password=PASSWORD)
        finally:
            await running.process.stop()


@asynccontextmanager
async def sides(door: Door, *, batches: bool) -> AsyncIterator[Sequence[Side]]:
    """Open every way, and see that all give the same."""
    cache, link = ValkeyCache(Link(door), prefix_of(PART)), Link(door)
    client = Valkey(unix_socket_path=str(door.socket), username=USER, password=PASSWORD)
    ways = {OURS: _ours(cache), LINK: _bare(link), CLIENT: _raw(client)}
    try:
        for name, (alone, together) in ways.items():
            if (await alone(), await together()) != (2, 2 * BATCH):
                raise RuntimeError(f"{name} reads something else than it wrote")
        yield [Side(name=name, work=way[batches]) for name, way in ways.items()]
    finally:
        await cache.close()
        await link.close()
        await client.aclose()


def _ours(cache: ValkeyCache) -> Ways:
    values = dict.fromkeys(KEYS, VALUE)

    async def alone() -> int:
        await cache.set({KEYS[0]: VALUE}, TTL)
        return 1 + (await cache.get(KEYS[:1])).count(VALUE)

    async def together() -> int:
        await cache.set(values, TTL)
        return BATCH + (await cache.get(KEYS)).count(VALUE)

    return alone, together


def _bare(link: Link) -> Ways:
    names, life = [f"raw:{key}" for key in KEYS], round(TTL * 1000)

    async def alone() -> int:
        await link.call("SET", names[0], VALUE, "PX", life)
        return 1 + (await link.call("GET", names[0]) == VALUE)

    async def together() -> int:
        await link.calls([("SET", name, VALUE, "PX", life) for name in names])
        return BATCH + (await link.calls([("GET", name) for name in names])).count(VALUE)

    return alone, together


def _raw(client: Any) -> Ways:
    names, life = [f"raw:{key}" for key in KEYS], round(TTL * 1000)

    async def alone() -> int:
        await client.set(names[0], VALUE, px=life)
        return 1 + int(await client.get(names[0]) == VALUE)

    async def together() -> int:
        async with client.pipeline(transaction=False) as writing:
            for name in names:
                writing.set(name, VALUE, px=life)
            await writing.execute()
        async with client.pipeline(transaction=False) as reading:
            for name in names:
                reading.get(name)
            found = await reading.execute()
        return BATCH + int(found.count(VALUE))

    return alone, together
