"""Sagas on PostgreSQL: the same promises, with several replicas and one database."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.runtime.database import Database, database
from tests.runtime.sagas import Travel, crash

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

STEPS = ("book_seat", "book_room", "pay", "tell")


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="server")
async def _server() -> AsyncIterator[Database]:
    async with database() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", name="travel")
async def _travel(server: Database) -> AsyncIterator[Travel]:
    url = await server.empty()
    travel = Travel()
    travel.store, travel.peer = server.store(url), lambda: server.store(url)
    await travel.store.open()
    yield travel
    await travel.store.close()


async def test_a_saga_ends_and_commits_with_its_steps(travel: Travel) -> None:
    async with travel.running() as host:
        assert await travel.begin(host, "a-1") == 202
        ended = await travel.until("a-1", "completed")
        assert await travel.begin(host, "a-1") == 202
    assert travel.script.calls == [*STEPS]
    assert [e.outcome for e in await travel.journal("a-1")] == ["done"] * 4
    assert (ended.version, await travel.bookings()) == (4, {"a-1-seat", "a-1-paid", "a-1-told"})


async def test_a_saga_is_undone_with_what_it_wrote(travel: Travel) -> None:
    travel.script.fail("pay", 1, "permanent")
    travel.script.fail("cancel_room", 2)
    async with travel.running() as host:
        await travel.begin(host, "a")
        await travel.until("a", "compensated")
    assert await travel.bookings() == set()
    assert [e.outcome for e in await travel.journal("a") if e.direction == "backward"] == ["failed"] * 2 + ["done"] * 2


async def test_of_many_that_begin_one_saga_at_the_same_time_one_does(travel: Travel) -> None:
    async with travel.running() as host:
        answers = await asyncio.gather(*(travel.begin(host, "a") for _ in range(12)))
        await travel.until("a", "completed")
    assert set(answers) <= {202, 409}
    assert 202 in answers
    assert travel.script.calls == [*STEPS]


@pytest.mark.parametrize("where", ["book_room", "pay", "cancel_seat"])
async def test_another_replica_goes_on_after_a_crash(travel: Travel, where: str) -> None:
    if where == "cancel_seat":
        travel.script.fail("pay", 1, "permanent")
    reached = travel.script.hold(where)
    first, second = travel.host("0"), travel.host("1")
    await first.start()
    await travel.begin(first, "a")
    async with asyncio.timeout(20):
        await reached.wait()
    await second.start()
    await crash(first)
    travel.script.gates[where].set()
    await travel.until("a", "completed", "compensated", within=30)
    await second.stop()
    assert travel.script.calls.count(where) == 2
    assert len(travel.script.keys[where]) == 1
    assert sorted(travel.bank.asked.values()) == ([] if where == "cancel_seat" else [1])


async def test_replicas_share_the_work_and_do_each_step_once(travel: Travel) -> None:
    hosts = [travel.host(str(number)) for number in range(3)]
    for host in hosts:
        await host.start()
    await asyncio.gather(*(travel.begin(hosts[number % 3], str(number)) for number in range(30)))
    for number in range(30):
        await travel.until(str(number), "completed", within=30)
    for host in hosts:
        await host.stop()
    assert {step: travel.script.calls.count(step) for step in STEPS} == dict.fromkeys(STEPS, 30)
