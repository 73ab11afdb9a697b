"""Measure B3."""

import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import cpu
from bench.handler import parity, world
from bench.handler.serve import Serving
from bench.load import Order
from bench.rounds import Amount, Round, Sample, Say, interleave
from bench.workers import SERVER_CPU, Worker, drive, generator, worker

OURS, BARE, FASTAPI = "Shoal", "bare ASGI", "FastAPI"
OPERATIONS = 8_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A contestant behind its own port."""

    name: str
    port: int
    process: Worker
    load: Worker
    requests: tuple[bytes, ...]

    async def run(self, operations: int) -> Sample:
        """Have it answer `operations` requests."""
        order = Order(port=self.port, operations=operations, requests=self.requests, status=200)
        before = cpu.used([self.process.pid])
        seconds = await drive(self.load, order)
        return Sample(operations=operations, seconds=seconds, cpu_ns=cpu.used([self.process.pid]) - before)


@asynccontextmanager
async def _server(name: str, keys: world.Keys, load: Worker, size: int) -> AsyncIterator[Server]:
    async with worker("bench.handler.serve", [name, str(keys.jwks), str(size), str(SERVER_CPU)]) as process:
        serving = await process.read(Serving)
        requests = tuple(world.request(token, world.body(size)) for token in keys.tokens)
        yield Server(name=name, port=serving.port, process=process, load=load, requests=requests)


async def measure(amount: Amount, size: int, say: Say) -> tuple[Round, ...]:
    """Check that the contestants mean the same, then race them."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shoal-bench-")))
        keys = world.make_keys(folder, time.time())
        load = await stack.enter_async_context(generator())
        servers = [await stack.enter_async_context(_server(n, keys, load, size)) for n in (BARE, OURS, FASTAPI)]
        for server in servers:
            if server.name != BARE:
                agreed = await parity.check(server.name, server.port, keys)
                say(f"{server.name} agrees in {agreed} cases")
        return await interleave(servers, amount, say)
