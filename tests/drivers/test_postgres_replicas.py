"""What may be read a moment late comes from a read replica of PostgreSQL, as long as that one is near and alive."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from shoal.drivers import open_store
from shoal.drivers.base import Query, Store
from shoal.drivers.postgres.pool import Pool
from shoal.drivers.postgres.replicas import Replicas
from shoal.errors import EngineError
from tests.conformance.harness import ORDERS, row, soon
from tests.conformance.store import fill, ready
from tests.drivers.postgres_engine import Engine, Harness

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]


class Pair:
    """A primary, and a replica that follows it."""

    def __init__(self, place: Path) -> None:
        self.primary, self.replica = Engine(place), Engine(place / "replica")

    async def start(self) -> None:
        await self.primary.start()
        await self.primary.stop()
        data, copy = self.primary.options.data, self.replica.options.data
        with data.joinpath("pg_hba.conf").open("a") as rules:
            rules.write("local replication all scram-sha-256\n")
        await asyncio.to_thread(shutil.copytree, data, copy)
        copy.joinpath("standby.signal").touch()
        where = self.primary.operator.replace("postgres:", "postgresql:", 1)
        with copy.joinpath("postgresql.auto.conf").open("a") as settings:
            settings.write(f"primary_conninfo = '{where}'\nwal_retrieve_retry_interval = '100ms'\n")
        await self.primary.start()
        await self.replica.start()

    async def stop(self) -> None:
        for engine in (self.replica, self.primary):
            with contextlib.suppress(AssertionError):  # it has not started
                await engine.stop()

    async def ask(self, sql: str, *args: object) -> object:
        """Ask the replica, as its superuser."""
        store = open_store(self.replica.operator)
        try:
            async with store.session() as session:
                rows = await session.fetch(sql, *args)
            return next(iter(rows[0].values()))
        finally:
            await store.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(place: Path) -> AsyncIterator[Pair]:
    pair = Pair(place)
    try:
        await pair.start()
        yield pair
    finally:
        await pair.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def harness(pair: Pair) -> AsyncIterator[Harness]:
    harness = Harness(pair.primary, await pair.primary.account())
    harness.url += f"&replicas={pair.replica.options.sockets}&lag=2"
    yield harness
    for store in harness.opened:
        await soon(store.close())


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask until something holds."""

    async def ask() -> None:
        while not await holds():  # noqa: ASYNC110 - a replica tells nobody
            await asyncio.sleep(0.02)

    await soon(ask())


async def copied(store: Store) -> bool:
    """Say whether the next question goes to a replica."""
    async with store.reads() as reads:
        return bool((await reads.fetch("select pg_is_in_recovery() as yes"))[0]["yes"])


async def test_what_was_written_is_read_from_a_replica(harness: Harness) -> None:
    store = await ready(harness)
    await fill(store, [row("1", total=5), row("2", total=5)])
    await until(lambda: copied(store))
    async with store.reads() as reads:
        assert await reads.get(ORDERS, "1") is not None
        assert len(await reads.find(ORDERS, Query(where={"total": 5}))) == 2
        assert await reads.count(ORDERS, {}) == 2


async def test_nothing_is_changed_there_nor_on_the_primary_in_its_place(harness: Harness) -> None:
    store = await ready(harness)
    await fill(store, [row("1")])
    for from_a_replica in (False, True):
        if from_a_replica:
            await until(lambda: copied(store))
        with pytest.raises(EngineError, match="read-only"):
            async with store.reads() as reads:
                await reads.fetch("delete from orders returning id")
    async with store.session() as session:
        assert await session.count(ORDERS, {}) == 1


async def test_one_that_is_too_far_behind_is_passed_over_until_it_has_caught_up(pair: Pair, harness: Harness) -> None:
    store = await ready(harness)
    await until(lambda: copied(store))
    await pair.ask("select pg_wal_replay_pause()")
    try:
        await fill(store, [row("late")])
        await until(lambda: _from_the_primary(store))
        async with store.reads() as reads:
            assert await reads.get(ORDERS, "late") is not None
    finally:
        await pair.ask("select pg_wal_replay_resume()")
    await until(lambda: copied(store))
    async with store.reads() as reads:
        assert await reads.get(ORDERS, "late") is not None


async def test_one_that_dies_is_not_noticed_and_is_used_again_when_it_is_back(pair: Pair, harness: Harness) -> None:
    store = await ready(harness)
    await fill(store, [row("1")])
    await until(lambda: copied(store))
    reading = asyncio.create_task(_go_on(store))
    await pair.replica.crash()
    await until(lambda: _from_the_primary(store))
    assert not reading.done()  # it has met no error
    reading.cancel()
    await pair.replica.start()
    await until(lambda: copied(store))


async def test_sql_that_a_replica_gives_up_is_asked_of_the_primary(pair: Pair, harness: Harness) -> None:
    store = await ready(harness)
    await until(lambda: copied(store))
    sql = "select pg_sleep(case when pg_is_in_recovery() then 60 else 0 end), pg_is_in_recovery() as copied"

    async def ask() -> object:
        async with store.reads() as reads:
            return (await reads.fetch(sql))[0]["copied"]

    async def ended() -> bool:
        ending = "select count(pg_terminate_backend(pid)) from pg_stat_activity where wait_event = 'PgSleep'"
        return bool(await pair.ask(ending))

    asked = asyncio.create_task(ask())
    await until(ended)
    assert await soon(asked) is False


class Answers:
    """Connections that answer one place in the log, or nothing."""

    def __init__(self, line: int, at: int) -> None:
        self.row, self.asked, self.silent = {"line": line, "place": at}, 0, False

    async def fetch(self, _sql: str) -> list[dict[str, int]]:
        self.asked += 1
        if self.silent:
            await asyncio.Event().wait()
        return [self.row]

    def close(self) -> None:
        pass


def between(primary: Answers, *copies: Answers) -> Replicas:
    return Replicas(cast("Pool", primary), cast("Pool", primary), [cast("Pool", copy) for copy in copies], 60.0)


async def test_one_that_says_nothing_keeps_nobody_from_looking_at_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shoal.drivers.postgres.replicas.LOOK_SECONDS", 0.0)
    monkeypatch.setattr("shoal.drivers.postgres.replicas.ANSWER_SECONDS", 0.01)
    good, silent = Answers(1, 5), Answers(1, 5)
    replicas = between(Answers(1, 5), good, silent)
    silent.silent = True

    async def looked() -> bool:
        replicas.choose()
        return good.asked > 3

    await until(looked)
    assert {id(replicas.choose()) for _ in range(4)} == {id(good)}
    replicas.close()


async def test_one_that_follows_another_primary_is_passed_over_wherever_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shoal.drivers.postgres.replicas.LOOK_SECONDS", 0.0)
    ahead, following = Answers(1, 95), Answers(2, 91)
    replicas = between(Answers(2, 91), ahead, following)

    async def looked() -> bool:
        replicas.choose()
        return ahead.asked > 2

    await until(looked)
    assert {id(replicas.choose()) for _ in range(4)} == {id(following)}
    replicas.close()


async def test_a_store_without_replicas_reads_itself(pair: Pair, harness: Harness) -> None:
    harness.url = harness.url.partition("&replicas=")[0]
    store = await ready(harness)
    await fill(store, [row("1")])
    assert not await copied(store)
    async with store.reads() as reads:
        assert await reads.get(ORDERS, "1") is not None


async def _from_the_primary(store: Store) -> bool:
    return not await copied(store)


async def _go_on(store: Store) -> None:
    while True:
        async with store.reads() as reads:
            assert await reads.get(ORDERS, "1") is not None
