"""How much memory a consumer takes that has very much to do."""

import asyncio
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.consumer.broker import broker
from bench.consumer.kinds import SQL
from bench.consumer.sides import side
from bench.durable.database import database
from bench.rounds import Say

EVENTS, SECONDS = 1_000_000, 60
_AT_A_TIME = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Resident memory of a consumer, in MiB."""

    waiting: int
    """Events that waited."""
    handled: int
    before: float
    most: float

    def __str__(self) -> str:
        return (
            f"{self.before:.0f} MiB before, at most {self.most:.0f} MiB while it handled "
            f"{self.handled:,} of {self.waiting:,} events that waited"
        )


async def measure(say: Say, events: int = EVENTS, seconds: int = SECONDS) -> Memory:
    """Let a consumer loose on what waits, and watch it."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(database())
        nats = await stack.enter_async_context(broker())
        consumer = await stack.enter_async_context(side(SQL, nats, server, 0))
        await consumer.feed(consumer.draw(1000))
        await consumer.consume()  # what is imported and cached at first counts as before
        await nats.pause(consumer.consumers)
        for first in range(0, events, _AT_A_TIME):
            await nats.publish(consumer.draw(min(events - first, _AT_A_TIME)))
        say(f"{events:,} events wait")
        process = consumer.roots[0]
        before = most = _resident(process)
        await nats.resume(consumer.consumers)
        await nats.begun(consumer.stream, events)
        for _ in range(seconds * 10):
            await asyncio.sleep(0.1)
            most = max(most, _resident(process))
        handled = events - await nats.left(consumer.stream)
        found = Memory(waiting=events, handled=handled, before=before, most=most)
        say(str(found))
        return found


def _resident(process: int) -> float:
    text = Path(f"/proc/{process}/status").read_text("ascii")
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    assert found
    return int(found[1]) / 1024
