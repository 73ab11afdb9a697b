"""The physical limit: fetch and acknowledge with the client library alone, keeping nothing."""

import asyncio
import contextlib

import nats

from bench.consumer.kinds import Start

FETCHED = 256
_tasks: set[asyncio.Task[None]] = set()


async def subscribe(start: Start) -> None:
    """Begin to fetch."""
    client = await nats.connect(start.broker)
    pull = await client.jetstream().pull_subscribe_bind(start.durable, start.stream)

    async def consume() -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                for message in await pull.fetch(FETCHED, timeout=5):
                    await message.ack()

    _tasks.add(asyncio.create_task(consume()))
