"""Measure B6."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from statistics import median, quantiles

from bench import cpu
from bench.consumer.broker import Broker, broker
from bench.durable.database import Database, database
from bench.outcome import Effort, Outcome
from bench.races import circumstances, compare, figures
from bench.relay.work import (
    LISTENER,
    NAIVE,
    OURS,
    PLAIN_STREAM,
    RAW,
    STREAM,
    Done,
    Drain,
    Hear,
    Pace,
)
from bench.report import Comparison, Section, Table
from bench.rounds import Amount, Round, Sample, Say, interleave
from bench.statistics import Target, estimate
from bench.workers import Worker, worker
from shoal.drivers.base import Stream

ROUNDS, OPERATIONS = 31, 2_000
TARGET = Target(bound=0.5)
"""By the clock."""

LOAD, PACED = 0.5, 2_000
SOON = Target(bound=10.0, better="lower")
"""Milliseconds, of the median event."""

BACKLOG, SLOWEST = 1_000_000, 1_500
"""Events that wait, and how many a second are taken away at least."""

ABOUT = """
Events that are rows of an outbox, committed all at once, until the broker has acknowledged each of them and the rows
are marked; beside it nats-py's `publish_async` of the same bytes from memory, as many in flight as it allows, until
each is acknowledged. Both carry an id for de-duplication, and the keys of the rows are all different. *One by one* is
a relay as it is often written: read a row, publish it, mark it. NATS flushes every message to the disk before it
acknowledges it, on all sides. Processor time is that of the client's process, of NATS and of all of PostgreSQL's.

The second table is the time from the end of an event's commit until another process has it in hand, while events are
committed, one transaction each, at half the rate at which the relay empties an outbox, from the process that also
relays.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A process that publishes, and the engines that it uses."""

    name: str
    process: Worker
    engines: tuple[int, ...]
    part: int = 1
    """Into how many parts its work is cut, since it takes so long."""

    async def run(self, operations: int) -> Sample:
        """Bring events to the broker."""
        roots = (self.process.pid, *self.engines)
        before, some = cpu.used(roots), operations // self.part
        done = await self.process.ask(Drain(operations=some), Done)
        return Sample(operations=some, seconds=done.seconds, cpu_ns=cpu.used(roots) - before)


async def run(effort: Effort, say: Say) -> Outcome:
    """Measure throughput, then latency, then memory."""
    amount = Amount(rounds=effort.choose(ROUNDS), operations=OPERATIONS)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(database())
        bus = await stack.enter_async_context(broker())
        await bus.declare(
            [Stream(name=STREAM, subjects=("bench.event.>",)), Stream(name=PLAIN_STREAM, subjects=("plain.event.>",))],
            [LISTENER],
        )
        rounds = await _race(server, bus, amount, say)
        rate = LOAD * median(found.rate(OURS) for found in rounds)
        latencies = await _latencies(server, bus, rate, amount.rounds, say)
        peak = 0 if effort.quick else await _backlog(server, bus, say)
        settings = await server.settings()
    section = Section(
        id="B6",
        title="what it costs that an event is a row first",
        about=ABOUT,
        comparisons=(*_throughput(rounds), *_soon(latencies)),
        tables=(figures(rounds), _spread(latencies, rate)),
        facts={
            "NATS": "sync_interval = always (read back from the server), one replica",
            "PostgreSQL": ", ".join(f"{name} = {value}" for name, value in settings.items()),
            **(
                {"backlog": f"{BACKLOG:,} rows drained in one go: the process had {peak:,} KiB at most"} if peak else {}
            ),
            **circumstances(rounds),
        },
    )
    return Outcome(section=section, rows={"rounds": rounds, "latencies": latencies})


async def _race(server: Database, bus: Broker, amount: Amount, say: Say) -> tuple[Round, ...]:
    async with AsyncExitStack() as stack:
        sides = [await stack.enter_async_context(_side(name, server, bus)) for name in (OURS, RAW, NAIVE)]
        return await interleave(sides, amount, say)


@asynccontextmanager
async def _side(name: str, server: Database, bus: Broker) -> AsyncIterator[Side]:
    async with worker("bench.relay.work", [name, server.url, bus.url]) as process:
        yield Side(name=name, process=process, engines=(server.pid, bus.pid), part=10 if name == NAIVE else 1)


async def _latencies(server: Database, bus: Broker, rate: float, rounds: int, say: Say) -> list[list[float]]:
    """Return the milliseconds of every event, by round; the first round warms up."""
    found = []
    async with AsyncExitStack() as stack:
        ours = (await stack.enter_async_context(_side(OURS, server, bus))).process
        ears = (await stack.enter_async_context(_side(LISTENER.name, server, bus))).process
        await _catch_up(bus, ears)
        for number in range(rounds + 1):
            committed = await ours.ask(Pace(rate=rate, operations=PACED), Done)
            heard = await ears.ask(Hear(operations=PACED), Done)
            taken = sorted(1000 * (heard.at[id] - at) for id, at in committed.at.items())
            if number:
                found.append(taken)
                say(f"round {number} of {rounds}: median {median(taken):.2f} ms, worst {taken[-1]:.2f} ms")
    return found


async def _catch_up(bus: Broker, ears: Worker) -> None:
    """Have the listener take all that the race left behind."""
    await bus.drained(STREAM)
    await ears.ask(Hear(operations=0), Done)


async def _backlog(server: Database, bus: Broker, say: Say) -> int:
    async with worker("bench.relay.work", [OURS, server.url, bus.url]) as process:
        say(f"draining {BACKLOG:,} rows")
        done = await process.ask(Drain(operations=BACKLOG), Done, within=BACKLOG / SLOWEST)
        say(f"{BACKLOG / done.seconds:,.0f}/s, at most {done.peak:,} KiB")
        return done.peak


def _throughput(rounds: Sequence[Round]) -> Sequence[Comparison]:
    first, *rest = compare(rounds, OURS, RAW, what=f"{OURS} / {RAW}")
    return (replace(first, target=TARGET), *rest, *compare(rounds, OURS, NAIVE, what=f"{OURS} / {NAIVE}"))


def _soon(latencies: Sequence[Sequence[float]]) -> Sequence[Comparison]:
    what = "from commit to consumer at half load, in ms"
    return (
        Comparison(what=f"{what}, median", ratio=estimate([median(some) for some in latencies]), target=SOON),
        Comparison(what=f"{what}, 99th percentile", ratio=estimate([_percentile(some, 99) for some in latencies])),
    )


def _spread(latencies: Sequence[Sequence[float]], rate: float) -> Table:
    everything = [one for some in latencies for one in some]
    cells = (median(everything), *(_percentile(everything, part) for part in (90, 99)), max(everything))
    return Table(
        columns=("events/s", "median ms", "90 %", "99 %", "worst"),
        rows=((f"{rate:,.0f}", *(f"{cell:.2f}" for cell in cells)),),
    )


def _percentile(values: Sequence[float], part: int) -> float:
    return quantiles(values, n=100)[part - 1]
