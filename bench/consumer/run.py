"""Measure B7."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from bench.consumer import backlog
from bench.consumer.broker import broker
from bench.consumer.kinds import AS_IS, BARE, BATCHES, BY_BATCH, INBOX, NAMES, ROWS, SQL, TWICE
from bench.consumer.parity import agrees, prove
from bench.consumer.sides import Side, side
from bench.durable.database import database
from bench.outcome import Effort, Outcome
from bench.races import circumstances, compare, figures
from bench.report import Comparison, Section
from bench.rounds import Amount, Round, Say, interleave
from bench.statistics import Target

ROUNDS, OPERATIONS = 11, 4096
"""A multiple of what anybody fetches: how long a client waits for the rest of a batch is not the question."""

TARGET = Target(bound=4)
"""By the clock."""

FEW, BRIEF = 20_000, 2
"""Events and seconds of a quick look at the memory."""

PAIRS = ((SQL, INBOX), (ROWS, INBOX), (BATCHES, INBOX), (BATCHES, BY_BATCH), (SQL, AS_IS), (SQL, BARE))

ABOUT = """
A consumer of events from JetStream whose effect, an `UPDATE` of one row in PostgreSQL, happens exactly once, because a
mark in an inbox commits with it. *Shoal* is a service with a handler of one event and the statement in it, as its
author writes it; up to 128 events share a transaction, and their statements are sent without waiting for each. *Get and
put* reads the record under a lock and writes it, which waits for every event; *batches* has a handler of a list of
events. *FastStream* has a durable pull consumer of 256 messages at a time, msgspec instead of Pydantic, no log, and as
many handlers at work as its 16 connections allow; its inbox is written by hand with asyncpg: `insert … on conflict do
nothing` and, when that was new, the same statement in the same transaction, one for each message. *As it is*, it has no
inbox and handles repeated messages twice. Its *batches* are handed to one handler, which writes marks and changes in a
statement each; what becomes of the others when one fails is left to its author. *Fetch and ack* is the client library
alone, which keeps nothing: the physical limit of one process.

All get the same CloudEvents about 1,000 accounts from streams with the same settings on one NATS, and write to
databases of one PostgreSQL, each from one process that runs on uvloop. Shoal keeps the order of an account's events and
counts attempts; FastStream's handlers run beside each other, in no order. What is timed begins with the first delivery
and ends with the last acknowledgement. Processor time is that of the process and of both engines. Before, everybody is
given 400 events, 100 of them twice at once, and all of them once more, and must count each once; *as it is* must not,
or the test could not tell. Afterwards all accounts are compared again.
"""


async def run(effort: Effort, say: Say) -> Outcome:
    """Race everybody, then look at the memory."""
    amount = Amount(rounds=effort.choose(ROUNDS), operations=OPERATIONS)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(database())
        nats = await stack.enter_async_context(broker())
        settings = await server.settings()
        sides = [await stack.enter_async_context(side(name, nats, server, at)) for at, name in enumerate(NAMES)]
        wrote = await prove(sides, server)
        say(", ".join(f"{name}: {number:.2f} writing transactions per event" for name, number in wrote.items()))
        rounds = await interleave(sides, amount, say)
        await _agree(sides)
    memory = await (backlog.measure(say, FEW, BRIEF) if effort.quick else backlog.measure(say))
    facts = {
        "transactions that wrote, per event": ", ".join(f"{name} {number:.2f}" for name, number in wrote.items()),
        "memory of Shoal's consumer": str(memory),
        "NATS": "sync_interval = always, storage = file, replicas = 1, ack_policy = explicit, max_ack_pending = 1000",
        "PostgreSQL": ", ".join(f"{name} = {value}" for name, value in settings.items()),
    }
    return Outcome(section=_section(rounds, facts), rows={"rounds": rounds, "memory": [memory]})


async def _agree(sides: Sequence[Side]) -> None:
    for one in sides:
        if one.name not in TWICE:
            assert await agrees(one), f"{one.name} lost or repeated events while it was timed"


def _section(rounds: Sequence[Round], facts: Mapping[str, str]) -> Section:
    return Section(
        id="B7",
        title="what an idempotent consumer costs",
        about=ABOUT,
        comparisons=tuple(c for ours, theirs in PAIRS for c in _compare(rounds, ours, theirs)),
        tables=(figures(rounds),),
        facts={**facts, **circumstances(rounds)},
    )


def _compare(rounds: Sequence[Round], ours: str, theirs: str) -> tuple[Comparison, Comparison]:
    target = TARGET if (ours, theirs) == PAIRS[0] else None
    by_clock, by_cpu = compare(rounds, ours, theirs, what=f"{ours} / {theirs}", target=target)
    return by_clock, Comparison(what=by_cpu.what, ratio=by_cpu.ratio)
