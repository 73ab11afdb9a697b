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
from bench.outcome import Effort, Outcome
from bench.races import circumstances, compare, figures
from bench.report import Section
from bench.rounds import Amount, Round, Sample, Say, interleave
from bench.statistics import Target
from bench.workers import SERVER_CPU, Worker, drive, generator, worker

OURS, BARE, FASTAPI = "Shoal", "bare ASGI", "FastAPI"
ROUNDS, OPERATIONS = 61, 500
"""Many short rounds: what disturbs a machine lasts longer than one of them."""

ABOUT = f"""
A `POST` with a path parameter, a bearer token (ES256) and a JSON body, answered with a typed JSON document. Shoal and
FastAPI verify the token, remember verified ones until they expire, validate every field (lengths, ranges, choices)
and compute the same answer; FastAPI has Pydantic models, an asynchronous dependency and a return type, as its
documentation advises. The bare ASGI callable does none of that: it reads the body and sends what Shoal would send,
headers included, from constants. All are served by uvicorn with uvloop and httptools, one process each, without access
log, on a processor that the load generator does not use: {world.CLIENTS} connections, each sending when it has its
answer. Shoal's own counters and trace identifiers stay on. The order has {world.SMALL} lines, which makes a JSON text
of ten; the second table is for {world.LARGE} lines.
"""


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


async def run(effort: Effort, say: Say) -> Outcome:
    """Measure with the small order and with the large one."""
    amount = Amount(rounds=effort.choose(ROUNDS), operations=OPERATIONS)
    small, large = await measure(amount, world.SMALL, say), await measure(amount, world.LARGE, say)
    comparisons = (
        *compare(small, OURS, BARE, what=f"{OURS} / {BARE}", target=Target(bound=0.6)),
        *compare(small, OURS, FASTAPI, what=f"{OURS} / {FASTAPI}", target=Target(bound=2.5)),
        *compare(large, OURS, BARE, what=f"{OURS} / {BARE}, {world.LARGE} lines"),
        *compare(large, OURS, FASTAPI, what=f"{OURS} / {FASTAPI}, {world.LARGE} lines"),
    )
    section = Section(
        id="B3",
        title="what a typed, authorised, validated handler costs",
        about=ABOUT,
        comparisons=comparisons,
        tables=(figures(small), figures(large)),
        facts=circumstances(small),
    )
    return Outcome(section=section, rows={"small": small, "large": large})


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
