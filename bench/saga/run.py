"""Measure B8."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from bench import cpu
from bench.durable.database import Database, database
from bench.durable.work import Done, Task
from bench.outcome import Effort, Outcome
from bench.races import circumstances, compare, figures
from bench.report import Section
from bench.rounds import Amount, Round, Sample, Say, interleave
from bench.statistics import Target
from bench.workers import Worker, worker

OURS, THEIRS, THREADS = "Shoal", "DBOS", "DBOS, threads"
ROUNDS, OPERATIONS, CLIENTS = 11, 100, (16, 1)
TARGET = Target(bound=1.5)
"""Of many clients, by the clock."""

PROBE = 100
"""Sagas by which two probes of the number of transactions differ."""

_NEXT = "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint"

ABOUT = """
An orchestrated saga of three steps with three compensations, begun by a request and waited for, against a workflow of
DBOS that does the same: three steps, each a transaction that inserts one row, and an `except` that would undo them. On
all sides the row and the progress of a step commit in one transaction, on PostgreSQL with the same durability. DBOS is
measured with its asynchronous interface and with its synchronous one, which has a thread for each client. It has a
datasource, so that steps commit with their checkpoints, at `READ COMMITTED`, and 20 connections, as by default, in each
of its two pools; Shoal has one pool with as many as there are clients. Processor time is that of the client's process
and of all of PostgreSQL's.
"""


class Client:
    """A process that works on the database, and how many tasks it uses for it."""

    def __init__(self, name: str, process: Worker, server: int, clients: int) -> None:
        self.name = name
        self._process, self._server, self._clients = process, server, clients

    async def run(self, operations: int) -> Sample:
        """Do the work; the server's processor time counts as well."""
        roots = (self._process.pid, self._server)
        before = cpu.used(roots)
        done = await self._process.ask(Task(operations=operations, clients=self._clients), Done)
        return Sample(operations=operations, seconds=done.seconds, cpu_ns=cpu.used(roots) - before)


async def run(effort: Effort, say: Say) -> Outcome:
    """Measure with many clients and with one."""
    amount = Amount(rounds=effort.choose(ROUNDS), operations=OPERATIONS)
    async with AsyncExitStack() as stack:
        servers = {name: await stack.enter_async_context(database()) for name in (OURS, THEIRS, THREADS)}
        settings = await servers[OURS].settings()
        say(", ".join(f"{name} = {value}" for name, value in settings.items()))
        written = {name: await _written_per_saga(name, server) for name, server in servers.items()}
        say(", ".join(f"{name}: {number:.2f} writing transactions per saga" for name, number in written.items()))
        rounds = {number: await _race(servers, amount, number, say) for number in CLIENTS}
    if round(written[OURS], 1) != 4:
        raise RuntimeError(f"a saga of three steps took {written[OURS]:.2f} commits; it promises four")
    comparisons = [
        replace(comparison, target=TARGET if number == CLIENTS[0] and "clock" in comparison.what else None)
        for number, some in rounds.items()
        for theirs in (THEIRS, THREADS)
        for comparison in compare(some, OURS, theirs, what=f"{OURS} / {theirs}, {number} at a time")
    ]
    section = Section(
        id="B8",
        title="what an orchestrated saga costs",
        about=ABOUT,
        comparisons=tuple(comparisons),
        tables=tuple(figures(some) for some in rounds.values()),
        facts={
            "transactions that wrote, per saga": ", ".join(f"{name} {number:.2f}" for name, number in written.items()),
            "PostgreSQL": ", ".join(f"{name} = {value}" for name, value in settings.items()),
            **circumstances(rounds[CLIENTS[0]]),
        },
    )
    return Outcome(section=section, rows={str(number): some for number, some in rounds.items()})


async def _race(servers: dict[str, Database], amount: Amount, clients: int, say: Say) -> tuple[Round, ...]:
    async with AsyncExitStack() as stack:
        sides = [await stack.enter_async_context(_client(name, server, clients)) for name, server in servers.items()]
        return await interleave(sides, amount, say)


@asynccontextmanager
async def _client(name: str, server: Database, clients: int) -> AsyncIterator[Client]:
    async with worker("bench.saga.work", [name, server.url, str(clients)]) as process:
        yield Client(name, process, server.pid, clients)


async def _written_per_saga(name: str, server: Database) -> float:
    """Count the transactions that wrote; what runs beside the sagas cancels out, for both probes start alike."""
    await _written(name, server, 1)  # makes the tables
    few, many = await _written(name, server, PROBE), await _written(name, server, 2 * PROBE)
    return (many - few) / PROBE


async def _written(name: str, server: Database, sagas: int) -> int:
    """Count by transaction numbers, which only a transaction that writes is given."""
    before = await server.admin.fetchval(_NEXT)
    async with _client(name, server, 1) as client:
        await client.run(sagas)
    return int(await server.admin.fetchval(_NEXT) - before)
