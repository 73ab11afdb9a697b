"""A NATS of the benchmark's own, from the recipe that ``shoal run`` uses, durable as it is there."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from nats.aio.client import Client

from shoal.drivers import broker_admin
from shoal.drivers.base import Consumer, Message, Published, Stream
from shoal.local.engines import nats, start

_USER = "bench"
_LOOK = 0.02
"""Seconds between two looks at what is left."""

_FOR_EVER, _NO_MORE = "2100-01-01T00:00:00Z", "0001-01-01T00:00:00Z"


class Broker:
    """A running server, and the operator's hands on it."""

    def __init__(self, url: str, pid: int, client: Client) -> None:
        self.url, self.pid = url, pid
        self._admin, self._client = broker_admin(url), client

    async def declare(self, streams: Sequence[Stream], consumers: Sequence[Consumer]) -> None:
        """Make streams and durable consumers with the settings that ``shoal run`` gives them."""
        await self._admin.declare(streams, consumers)

    async def publish(self, messages: Sequence[Message]) -> None:
        """Store messages."""
        for outcome in await self._admin.publish(messages):
            assert isinstance(outcome, Published), outcome
            assert not outcome.duplicate

    async def pause(self, consumers: Sequence[Consumer]) -> None:
        """Let nothing be delivered (``$JS.API.CONSUMER.PAUSE``, NATS 2.11)."""
        for consumer in consumers:
            await self._pause(consumer, _FOR_EVER)

    async def resume(self, consumers: Sequence[Consumer]) -> None:
        """Let everything be delivered."""
        for consumer in consumers:
            await self._pause(consumer, _NO_MORE)

    async def begun(self, stream: str, waiting: int) -> None:
        """Wait until some of what waited is delivered: how long clients sleep on a paused consumer says nothing."""
        while await self._sum(stream, "num_pending") == waiting:  # noqa: ASYNC110 - the server sends no word of it
            await asyncio.sleep(_LOOK)

    async def drained(self, stream: str) -> None:
        """Wait until everything is acknowledged."""
        while await self.left(stream):  # noqa: ASYNC110 - as above
            await asyncio.sleep(_LOOK)

    async def left(self, stream: str) -> int:
        """Count what is not acknowledged."""
        return await self._sum(stream, "num_pending", "num_ack_pending")

    async def rewind(self, consumers: Sequence[Consumer]) -> None:
        """Let everything be delivered again that was acknowledged (``$JS.API.CONSUMER.RESET``, NATS 2.14)."""
        for consumer in consumers:
            await self._ask(f"CONSUMER.RESET.{consumer.stream}.{consumer.name}", {"seq": 1})

    async def _sum(self, stream: str, *what: str) -> int:
        found = await self._ask(f"CONSUMER.LIST.{stream}", {})
        return sum(one[name] for one in found["consumers"] for name in what)

    async def _pause(self, consumer: Consumer, until: str) -> None:
        await self._ask(f"CONSUMER.PAUSE.{consumer.stream}.{consumer.name}", {"pause_until": until})

    async def _ask(self, what: str, request: dict[str, Any]) -> dict[str, Any]:
        answer = await self._client.request(f"$JS.API.{what}", json.dumps(request).encode(), timeout=10)
        found: dict[str, Any] = json.loads(answer.data)
        assert "error" not in found, found
        return found


@asynccontextmanager
async def broker() -> AsyncIterator[Broker]:
    """Run a server until the block ends."""
    place = Path(tempfile.mkdtemp(prefix="shoal-bench-"))
    everybody = nats.NatsUser(name=_USER, password=_USER, publish=(">",), subscribe=(">",))
    try:
        running = await start(
            nats.recipe(nats.NatsOptions(directory=place, users=(everybody,))), on_line=lambda _line: None
        )
        client = Client()
        try:
            url = running.addresses["nats"].replace("nats://", f"nats://{_USER}:{_USER}@")
            await client.connect(url)
            yield Broker(url, running.process.pid, client)
        finally:
            await client.close()
            await running.process.stop()
    finally:
        shutil.rmtree(place, ignore_errors=True)
