"""Measure B15."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from bench.drivers import brokers, stores
from bench.drivers.work import BATCH
from bench.outcome import Effort, Outcome
from bench.races import circumstances, compare, figures
from bench.report import Comparison, Section, Table
from bench.rounds import Amount, Round, Say, interleave
from bench.side import Side, Ways
from bench.statistics import Target

ROUNDS, ALONE, TOGETHER = 15, 400, 4_000
SINGLE, BATCHES = Target(bound=1 / 1.3), Target(bound=1 / 1.15)
"""Of the client's operations per second."""

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
    """Race each driver and its client, one operation at a time and in batches."""
    comparisons: list[Comparison] = []
    tables: list[Table] = []
    rows: dict[str, Sequence[Round]] = {}
    for engine in ENGINES:
        async with engine() as ways:
            ours, client = ways
            for number, kind, amount, target in ((0, "alone", ALONE, SINGLE), (1, "together", TOGETHER, BATCHES)):
                sides = [Side(name=name, work=way[number]) for name, way in ways.items()]
                found = await interleave(sides, Amount(rounds=effort.choose(ROUNDS), operations=amount), say)
                first, second = compare(found, ours, client, what=f"{ours} / {client}, {kind}")
                comparisons += [replace(first, target=target), second]
                tables.append(figures(found))
                rows[f"{ours} {kind}"] = found
    section = Section(
        id="B15",
        title="what drivers cost",
        about=ABOUT,
        comparisons=tuple(comparisons),
        tables=tuple(tables),
        facts=circumstances(found),
    )
    return Outcome(section=section, rows=rows)
