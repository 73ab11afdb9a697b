"""Measure B15."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from typing import NamedTuple

from bench.drivers import brokers, stores
from bench.drivers.work import BATCH
from bench.outcome import Effort, Outcome
from bench.races import circumstances, compare, figures
from bench.report import Comparison, Section
from bench.rounds import Amount, Round, Say, interleave
from bench.side import Side, Ways
from bench.statistics import Target
from shoal.errors import HostError

ROUNDS = 15
KINDS: Mapping[str, tuple[int, Target]] = {
    "alone": (400, Target(bound=1 / 1.3)),
    "together": (4_000, Target(bound=1 / 1.15)),
}
"""How many operations of each kind are counted, and how many of the client's per second ours have to reach."""

ENGINES: Sequence[Callable[[], AbstractAsyncContextManager[Mapping[str, Ways]]]] = (
    stores.postgres,
    stores.documents,
    stores.json_documents,
    stores.dynamodb,
    brokers.jetstream,
    brokers.kafka,
    brokers.rabbitmq,
    brokers.sns,
)

ABOUT = f"""
A store: a row of four columns is written in a transaction of its own and read again; and {BATCH} rows are
written in one transaction and read by their keys. A broker: a message of 400 bytes is published and acknowledged; and
{BATCH} at a time are. Each by our driver and by the client that it uses, one task, with the same durability. Our
driver opens a session, holds the writes back and sends them with the commit, has an outbox and an inbox beside them,
and limits how long it waits; the client does nothing but ask. Processor time is that of the client's process.
"""


async def run(effort: Effort, say: Say) -> Outcome:
    """Race each driver and its client, one operation at a time and in batches; what is not here is named."""
    raced: list[_Raced] = []
    absent: dict[str, str] = {}
    for engine in ENGINES:
        async with AsyncExitStack() as stack:
            try:
                ways = await stack.enter_async_context(engine())
            except HostError as error:
                say(f"{engine.__name__} is left out: {error}")
                absent[f"left out, {engine.__name__}"] = str(error).partition("\n")[0]
                continue
            raced += [await _race(ways, number, kind, effort, say) for number, kind in enumerate(KINDS)]
    section = Section(
        id="B15",
        title="what drivers cost",
        about=ABOUT,
        comparisons=tuple(comparison for one in raced for comparison in one.comparisons),
        tables=tuple(figures(one.rounds) for one in raced),
        facts=circumstances(raced[-1].rounds) | absent,
    )
    return Outcome(section=section, rows={one.name: one.rounds for one in raced})


class _Raced(NamedTuple):
    name: str
    rounds: Sequence[Round]
    comparisons: Sequence[Comparison]


async def _race(ways: Mapping[str, Ways], number: int, kind: str, effort: Effort, say: Say) -> _Raced:
    ours, client = ways
    amount, target = KINDS[kind]
    sides = [Side(name=name, work=way[number]) for name, way in ways.items()]
    found = await interleave(sides, Amount(rounds=effort.choose(ROUNDS), operations=amount), say)
    first, second = compare(found, ours, client, what=f"{ours} / {client}, {kind}")
    return _Raced(f"{ours} {kind}", found, (replace(first, target=target), second))
