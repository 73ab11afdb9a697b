"""Measure B5."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from bench import cpu
from bench.durable.database import Database, database
from bench.durable.work import Done, Task
from bench.outcome import Effort, Outcome
from bench.races import circumstances, compare, figures
from bench.report import Section
from bench.rounds import Amount, Round, Sample, Say, interleave
from bench.statistics import Target
from bench.workers import Worker, worker

OURS, DOCUMENTS, BARE, HAND = "Shoal", "Shoal, documents", "bare insert", "by hand"
ROUNDS, OPERATIONS, CLIENTS = 31, 400, (16, 1)
TARGET = Target(bound=0.5)
"""Of many clients, by the clock."""

PROBE = 400
"""Commands by which two probes of the number of commits differ."""

ABOUT = """
A `POST` with an `Idempotency-Key` that stores one row, announces one event and records its answer, through the whole
framework but without an HTTP server, against one prepared `INSERT` of the same row that commits itself, sent by
asyncpg alone. Both have a connection for each client, to the same PostgreSQL, with the same durability: every command,
like every insert, is one transaction that is flushed to the disk before it is answered. *By hand* is one statement
that writes the same three rows, prepared beforehand: what the promise of a command costs without the framework.
*Documents* are the same service on documents in the same PostgreSQL.
Processor time is that of the client's process and of all of PostgreSQL's.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A process that works on the database, and how many tasks it uses for it."""

    name: str
    process: Worker
    server: int
    clients: int

    async def run(self, operations: int) -> Sample:
        """Do the work; the server's processor time counts as well."""
        roots = (self.process.pid, self.server)
        before = cpu.used(roots)
        done = await self.process.ask(Task(operations=operations, clients=self.clients), Done)
        return Sample(operations=operations, seconds=done.seconds, cpu_ns=cpu.used(roots) - before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Durable:
    """What was found."""

    settings: dict[str, str]
    commits: float
    """Per command."""
    rounds: dict[int, tuple[Round, ...]]
    """By the number of clients."""


async def run(effort: Effort, say: Say) -> Outcome:
    """Measure with many clients and with one."""
    amount = Amount(rounds=effort.choose(ROUNDS), operations=OPERATIONS)
    found = await measure(amount, CLIENTS, say)
    if found.commits != 1:
        raise RuntimeError(f"a command took {found.commits} commits; it promises one")
    comparisons = [
        c
        for number, rounds in found.rounds.items()
        for ours, theirs in ((OURS, BARE), (OURS, HAND), (DOCUMENTS, BARE), (DOCUMENTS, OURS))
        for c in compare(rounds, ours, theirs, what=f"{ours} / {theirs}, {number} at a time")
    ]
    comparisons[0] = replace(comparisons[0], target=TARGET)
    many = found.rounds[CLIENTS[0]]
    section = Section(
        id="B5",
        title="what a durable command costs",
        about=ABOUT,
        comparisons=tuple(comparisons),
        tables=tuple(figures(rounds) for rounds in found.rounds.values()),
        facts={
            "commits per command": f"{found.commits:.2f} (`pg_stat_database.xact_commit`)",
            "PostgreSQL": ", ".join(f"{name} = {value}" for name, value in found.settings.items()),
            **circumstances(many),
        },
    )
    return Outcome(section=section, rows={str(number): rounds for number, rounds in found.rounds.items()})


async def measure(amount: Amount, clients: tuple[int, ...], say: Say) -> Durable:
    """Count the commits of a command, then race it against the bare insert."""
    async with database() as server:
        settings = await server.settings()
        say(", ".join(f"{name} = {value}" for name, value in settings.items()))
        commits = await _commits_per_command(server)
        say(f"{commits:.2f} commits per command")
        rounds = {number: await _race(server, amount, number, say) for number in clients}
        return Durable(settings=settings, commits=commits, rounds=rounds)


async def _race(server: Database, amount: Amount, clients: int, say: Say) -> tuple[Round, ...]:
    async with AsyncExitStack() as stack:
        sides = [
            await stack.enter_async_context(_client(name, server, clients)) for name in (OURS, DOCUMENTS, BARE, HAND)
        ]
        return await interleave(sides, amount, say)


@asynccontextmanager
async def _client(name: str, server: Database, clients: int) -> AsyncIterator[Client]:
    async with worker("bench.durable.work", [name, server.url, str(clients)]) as process:
        yield Client(name=name, process=process, server=server.pid, clients=clients)


async def _commits_per_command(server: Database) -> float:
    """Count the commits of sessions that did nothing and of others that worked; starting up cancels out."""
    await _commits(server, 1)  # makes the tables
    few, many = await _commits(server, PROBE), await _commits(server, 2 * PROBE)
    return (many - few) / PROBE


async def _commits(server: Database, commands: int) -> int:
    before = await server.commits()
    async with _client(OURS, server, 1) as client:
        await client.run(commands)
    return await server.commits() - before
