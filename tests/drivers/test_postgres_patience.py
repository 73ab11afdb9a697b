"""Waits for PostgreSQL end, with one timer for all of them."""

import asyncio

import pytest

from shoal.drivers.postgres import client, patience
from shoal.drivers.postgres.address import parse
from shoal.errors import TimedOut, Unavailable
from shoal.runtime.failures import is_outage
from shoal.runtime.problems import to_problem
from tests.conformance.harness import soon
from tests.drivers.postgres_engine import Harness


async def test_each_wait_ends_in_its_time_and_no_other() -> None:
    ended: list[str] = []
    all_ended = asyncio.Event()

    def late(name: str) -> None:
        ended.append(name)
        if len(ended) == 3:
            all_ended.set()

    watches = {name: patience.watch(lambda name=name: late(name)) for name in "abcd"}  # type: ignore[misc]
    for name, seconds in (("c", 0.03), ("d", 0.01), ("b", 0.02), ("a", 0.001)):
        watches[name].begin(seconds)
    watches["d"].end()
    await soon(all_ended.wait())
    assert ended == ["a", "b", "c"]
    assert [name for name, watch in watches.items() if watch.expired] == ["a", "b", "c"]


async def test_a_wait_begins_anew() -> None:
    ended = asyncio.Event()
    watch = patience.watch(ended.set)
    for _ in range(5):
        watch.begin(60)
        watch.end()
    watch.begin(0.001)
    await soon(ended.wait())


def test_every_event_loop_has_a_timer_of_its_own() -> None:
    async def wait() -> None:
        ended = asyncio.Event()
        patience.watch(ended.set).begin(0.001)
        await asyncio.wait_for(ended.wait(), 5)

    for _ in range(3):
        asyncio.run(wait())
    assert len(patience._watchers) <= 2


@pytest.mark.live
@pytest.mark.asyncio(loop_scope="module")
async def test_a_server_that_does_not_answer_is_given_up(harness: Harness) -> None:
    link = await client.connect(parse(harness.url).url)
    with pytest.raises(Unavailable, match="no answer in time"):
        await soon(link.fetch("select pg_sleep(60)", seconds=0.05))
    assert link.broken
    with pytest.raises(Unavailable):
        await link.fetch("select 1")


@pytest.mark.live
@pytest.mark.asyncio(loop_scope="module")
async def test_a_script_is_given_up_as_well(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "SCRIPT_SECONDS", 0.05)
    link = await client.connect(parse(harness.url).url, {"statement_timeout": "5s"})
    with pytest.raises(Unavailable, match="no answer in time"):
        await soon(link.script("select pg_sleep(60)"))
    assert link.broken


@pytest.mark.live
@pytest.mark.asyncio(loop_scope="module")
async def test_a_statement_that_takes_too_long_is_no_outage(harness: Harness) -> None:
    link = await client.connect(parse(harness.url).url, {"statement_timeout": "50ms"})
    with pytest.raises(TimedOut, match="statement timeout") as caught:
        await soon(link.fetch("select pg_sleep(60)"))
    assert not is_outage(caught.value)
    assert to_problem(caught.value).status == 504
    assert await link.fetch("select 1 as n") == [{"n": 1}]
    link.abort()
