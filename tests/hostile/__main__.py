"""``python -m tests.hostile``: what others notice while the edge is attacked (latency, and how many are served).

Requests leave at a fixed rate, whether answers come or not, and a latency counts from when its request should have
left. Before each attack the same is measured without it. Attackers, edge, application and clients share this machine.
"""

import asyncio
import contextlib
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from statistics import quantiles

import msgspec

from shoal.mesh.layout import Tcp
from shoal.model.system import Gateway, System
from tests.hostile.attacks import FLOODS, SLOW
from tests.mesh.samples import endpoint, service
from tests.mesh.world import World, eventually_served, running

RATE, CLIENTS = 200.0, 32
SECONDS, LONGEST = 5.0, 15.0
"""How long others are watched without an attack, and during one at most."""

PATIENCE = 1.0
"""Seconds after which an answer is worth nothing."""

HEADING = "| attack | p50, p99 without, ms | p50, p99 during, ms | served | what became of it |"

SHOP = service(
    "shop", endpoint("open", "GET", "/open"), endpoint("big", "GET", "/big"), endpoint("write", "POST", "/write")
)
SYSTEM = System(name="tiny", services=(SHOP,), gateway=Gateway())


class Noticed(msgspec.Struct, frozen=True, kw_only=True):
    """What those who mean no harm got."""

    p50: float
    p99: float
    """Milliseconds."""
    served: float
    """Share of the requests that were answered with 200 in time."""


class Crowd:
    """Clients that keep their connections, and make new ones where they were taken away."""

    def __init__(self, where: Tcp) -> None:
        self._where = where
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._free = asyncio.Semaphore(CLIENTS)
        self._took: list[float] = []

    async def ask(self, until: asyncio.Event) -> Noticed:
        """Ask at the rate until told to stop."""
        self._took, start, asked = [], time.perf_counter(), list[asyncio.Task[None]]()
        while not until.is_set():
            due = start + len(asked) / RATE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            asked.append(asyncio.create_task(self._one(due)))
        await asyncio.gather(*asked)
        good = [took for took in self._took if took <= PATIENCE]
        cuts = [1000 * cut for cut in quantiles(good, n=100)]
        return Noticed(p50=cuts[49], p99=cuts[98], served=len(good) / len(asked))

    async def _one(self, due: float) -> None:
        async with self._free:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    reader, writer = self._idle.pop() if self._idle else await self._connect()
                    writer.write(b"GET /open HTTP/1.1\r\nhost: a\r\n\r\n")
                    head = await reader.readuntil(b"\r\n\r\n")
                    await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))
                if head.startswith(b"HTTP/1.1 200"):
                    self._took.append(time.perf_counter() - due)
                if b"connection: close" not in head.lower():
                    self._idle.append((reader, writer))

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self._where.host, self._where.port)


@contextlib.asynccontextmanager
async def edge() -> AsyncIterator[World]:
    """Run the edge, as it is everywhere, before one service."""
    async with running(SYSTEM) as world:
        where = world.layout.replica("shop", 0)
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.hostile.application", where.path)
        try:
            world.point("shop", where)
            await eventually_served(world, "shop")
            yield world
        finally:
            process.kill()
            await process.wait()


async def attacked(where: Tcp, crowd: Crowd, name: str) -> tuple[Noticed, int, float]:
    """Watch the others during an attack; tell as well what became of it, and how long it took."""
    began, over = time.perf_counter(), asyncio.Event()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.hostile.attacks", name, str(where.port)), stdout=PIPE
    )
    asyncio.get_running_loop().call_later(LONGEST, over.set)
    watching = asyncio.create_task(crowd.ask(over))
    try:
        out, _ = await process.communicate()
    finally:
        over.set()
        if process.returncode is None:
            process.kill()
    took = time.perf_counter() - began
    return await watching, int(out or b"-1"), took


async def calm(crowd: Crowd) -> Noticed:
    """Watch them without an attack."""
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(SECONDS, over.set)
    return await crowd.ask(over)


async def main() -> None:
    """Attack in every way, one after the other, and print a table."""
    async with edge() as world:
        where = world.layout.edge()
        assert isinstance(where, Tcp)
        crowd = Crowd(where)
        await calm(crowd)
        sys.stdout.write(f"{HEADING}\n|---|---|---|---|---|\n")
        for name in sys.argv[1:] or [*SLOW, *FLOODS]:
            before = await calm(crowd)
            during, count, took = await attacked(where, crowd, name)
            outcome = f"{count} {'sockets closed' if name in SLOW else 'frames sent'} within {took:.0f} s"
            latencies = f"{before.p50:.1f}, {before.p99:.1f} | {during.p50:.1f}, {during.p99:.1f}"
            sys.stdout.write(f"| {name} | {latencies} | {during.served:.1%} | {outcome} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
