"""Measure B4."""

import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import cpu
from bench.handler import world
from bench.handler.serve import Serving
from bench.load import Order
from bench.outcome import Effort, Outcome
from bench.races import circumstances, compare, figures
from bench.report import Section
from bench.rounds import Amount, Round, Sample, Say, interleave
from bench.statistics import Target
from bench.telemetry import measurements, spans
from bench.telemetry.serve import Flushed
from bench.workers import GENERATOR_CPU, SERVER_CPU, Worker, drive, generator, worker

QUIET, RECORDED = "Shoal", "Shoal, recorded"
FASTAPI, INSTRUMENTED = "FastAPI", "FastAPI, instrumented"
ROUNDS, OPERATIONS = 31, 2000

ABOUT = f"""
The handler of B3, with and without telemetry: a span, a log record and the metrics of each request, sent by OTLP over
HTTP to a receiver in another process that takes everything. Beside it FastAPI with OpenTelemetry's instrumentation and
SDK, spans and metrics, one span for a request (without its spans for what is received and sent). Both of Shoal's write
an access line for each request, to nowhere. The time of a run ends when everything that it recorded was taken by the
receiver, so nobody leaves the work to the next one. Same server, same processor, {world.CLIENTS} connections as in B3.
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
        """Have it answer `operations` requests, and send what it recorded of them."""
        order = Order(port=self.port, operations=operations, requests=self.requests, status=200)
        before = cpu.used([self.process.pid])
        seconds = await drive(self.load, order)
        seconds += (await self.process.ask("flush", Flushed)).seconds
        return Sample(operations=operations, seconds=seconds, cpu_ns=cpu.used([self.process.pid]) - before)


@asynccontextmanager
async def _server(name: str, keys: world.Keys, load: Worker, sink: int) -> AsyncIterator[Server]:
    kind = name.partition(",")[0]
    told = sink if "," in name else 0
    arguments = [kind, str(keys.jwks), str(told), str(SERVER_CPU)]
    async with worker("bench.telemetry.serve", arguments) as process:
        serving = await process.read(Serving)
        requests = tuple(world.request(token, world.body(world.SMALL)) for token in keys.tokens)
        yield Server(name=name, port=serving.port, process=process, load=load, requests=requests)


async def run(effort: Effort, say: Say) -> Outcome:
    """Measure."""
    rounds = await measure(Amount(rounds=effort.choose(ROUNDS), operations=OPERATIONS), say)
    section = Section(
        id="B4",
        title="what full telemetry costs",
        about=ABOUT,
        comparisons=(
            *compare(rounds, RECORDED, QUIET, what=f"{RECORDED} / {QUIET}", target=Target(bound=0.8)),
            *compare(rounds, INSTRUMENTED, FASTAPI, what=f"{INSTRUMENTED} / {FASTAPI}"),
            *compare(rounds, RECORDED, INSTRUMENTED, what=f"{RECORDED} / {INSTRUMENTED}"),
        ),
        tables=(figures(rounds), spans.table(), measurements.table()),
        facts=circumstances(rounds),
    )
    return Outcome(section=section, rows={"rounds": rounds})


async def measure(amount: Amount, say: Say) -> tuple[Round, ...]:
    """Race all four."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shoal-bench-")))
        keys = world.make_keys(folder, time.time())
        load = await stack.enter_async_context(generator())
        sink = await stack.enter_async_context(worker("bench.telemetry.sink", [str(GENERATOR_CPU)]))
        port = (await sink.read(Serving)).port
        names = (QUIET, RECORDED, FASTAPI, INSTRUMENTED)
        servers = [await stack.enter_async_context(_server(name, keys, load, port)) for name in names]
        return await interleave(servers, amount, say)
