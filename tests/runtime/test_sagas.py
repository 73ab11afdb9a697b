"""Sagas end or are undone, whatever fails, times out or is killed in between."""

import asyncio
import logging
from datetime import timedelta
from typing import cast

import pytest

from shoal.drivers.base import Lease
from shoal.runtime.metrics.text import render
from shoal.runtime.sagas import housekeeping
from shoal.runtime.sagas.housekeeping import forget
from shoal.runtime.sagas.runner import SagaSide
from tests.runtime.sagas import Travel, crash, in_hand, true

STEPS = ("book_seat", "book_room", "pay", "tell")
UNDONE = {"book_seat": "cancel_seat", "book_room": "cancel_room"}


async def test_a_saga_runs_its_steps_in_order_and_commits_each_with_its_progress() -> None:
    travel = Travel()
    async with travel.running() as host:
        assert await travel.begin(host, "a") == 202
        ended = await travel.until("a", "completed")
    assert travel.script.calls == [*STEPS]
    assert await travel.bookings() == {"a-seat", "a-paid", "a-told"}
    assert (ended.step, ended.done, ended.version) == ("", STEPS, 4)
    assert '"1A"' in ended.state
    entries = await travel.journal("a")
    assert [(e.number, e.step, e.direction, e.outcome) for e in entries] == [
        (number, step, "forward", "done") for number, step in enumerate(STEPS, 1)
    ]
    assert entries[-1].status == "completed"


async def test_it_begins_at_once_and_not_at_the_next_look() -> None:
    travel = Travel()
    async with travel.running() as host:
        await travel.begin(host, "warm")
        await travel.until("warm", "completed")
        reached = travel.script.hold("book_seat")
        await travel.begin(host, "a")
        await asyncio.wait_for(reached.wait(), 0.05)
        travel.script.gates["book_seat"].set()
        await travel.until("a", "completed")


async def test_a_saga_that_is_begun_twice_under_one_key_runs_once() -> None:
    travel = Travel()
    async with travel.running() as host:
        answers = await asyncio.gather(*(travel.begin(host, "a") for _ in range(20)))
        assert set(answers) <= {202, 409}
        await travel.until("a", "completed")
        assert await travel.begin(host, "a") == 202
    assert travel.script.calls == [*STEPS]


async def test_a_saga_is_not_begun_when_the_transaction_does_not_commit() -> None:
    travel = Travel()
    async with travel.running() as host:
        assert await travel.begin(host, "a", fail=True) == 409
        assert await travel.find("a") is None
    assert travel.script.calls == []


async def test_a_call_that_is_repeated_carries_the_same_key_and_another_saga_another() -> None:
    travel = Travel()
    travel.bank.loses = 2
    async with travel.running() as host:
        await travel.begin(host, "a")
        await travel.until("a", "completed")
        await travel.begin(host, "b")
        await travel.until("b", "completed")
    assert sorted(travel.bank.asked.values()) == [1, 3]
    assert len(travel.script.keys["pay"]) == 2


@pytest.mark.parametrize("how", ["exception", "permanent", "problem"])
@pytest.mark.parametrize("failing", STEPS)
async def test_a_step_that_fails_for_good_is_undone_or_parked(failing: str, how: str) -> None:
    travel = Travel()
    travel.script.fail(failing, 99, how)
    async with travel.running() as host:
        await travel.begin(host, "a")
        ended = await travel.until("a", "completed", "compensated", "parked")
    expected = {
        "book_seat": ("compensated", []),
        "book_room": ("compensated", ["cancel_room", "cancel_seat"]),
        "pay": ("compensated", ["cancel_room", "cancel_seat"]) if how == "permanent" else ("parked", []),
        "tell": ("parked", []),
    }[failing]
    undone = [call for call in travel.script.calls if call.startswith("cancel")]
    assert (ended.status, undone) == expected
    assert failing in ended.error or "no" in ended.error
    assert travel.script.calls.count(failing) == (3 if how == "exception" else 1)
    if ended.status == "compensated":
        assert await travel.bookings() == set()


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("failing", STEPS)
async def test_a_step_that_fails_a_few_times_is_tried_again(failing: str, times: int) -> None:
    travel = Travel()
    travel.script.fail(failing, times)
    async with travel.running() as host:
        await travel.begin(host, "a")
        await travel.until("a", "completed")
    assert travel.script.calls.count(failing) == times + 1
    assert [e.outcome for e in await travel.journal("a")].count("failed") == times
    assert len(travel.script.keys[failing]) == 1, "every attempt has the same key"


@pytest.mark.parametrize("failing", STEPS)
async def test_an_outage_uses_up_no_attempts(failing: str) -> None:
    travel = Travel()
    travel.script.fail(failing, 10, "outage")
    async with travel.running() as host:
        await travel.begin(host, "a")
        await travel.until("a", "completed")
    assert travel.script.calls.count(failing) == 11


async def test_an_outage_that_outlasts_the_saga_undoes_it() -> None:
    travel = Travel(backoff=30.0)
    travel.script.fail("book_room", 99, "outage")
    async with travel.running() as host:
        await travel.begin(host, "a")
        await true(lambda: "book_room" in travel.script.calls)
        travel.clock.advance(timedelta(hours=2))
        ended = await travel.until("a", "compensated")
    assert "3600 s" in ended.error
    assert travel.script.calls[-2:] == ["cancel_room", "cancel_seat"]


async def test_waiting_follows_the_clock() -> None:
    travel = Travel(backoff=600.0)
    travel.script.fail("book_seat", 1)
    async with travel.running() as host:
        await travel.begin(host, "a")
        await true(lambda: travel.script.calls == ["book_seat"] and not in_hand(host))
        waiting = await travel.find("a")
        assert waiting is not None
        assert (waiting.status, waiting.attempt) == ("running", 1)
        travel.clock.advance(30)
        assert travel.script.calls == ["book_seat"]
        travel.clock.advance(600)
        await travel.until("a", "completed")


async def test_a_step_that_hangs_is_cancelled_and_tried_again() -> None:
    travel = Travel(timeout=0.05)
    travel.script.fail("book_room", 1, "hang")
    async with travel.running() as host:
        await travel.begin(host, "a")
        await travel.until("a", "completed")
    failed = [e for e in await travel.journal("a") if e.outcome == "failed"]
    assert [e.error for e in failed] == ["TimeoutError: it took too long"]


@pytest.mark.parametrize("compensation", ["cancel_seat", "cancel_room"])
@pytest.mark.parametrize("times", range(4))
async def test_a_compensation_is_tried_again_and_at_last_parked_with_an_alert(
    compensation: str, times: int, caplog: pytest.LogCaptureFixture
) -> None:
    travel = Travel()
    travel.script.fail("pay", 1, "permanent")
    travel.script.fail(compensation, times)
    with caplog.at_level(logging.ERROR, "shoal.sagas"):
        async with travel.running() as host:
            await travel.begin(host, "a")
            ended = await travel.until("a", "compensated", "parked")
            metrics = render(host.metrics.snapshot()).decode()
    assert ended.status == ("compensated" if times < 3 else "parked")
    assert travel.script.calls.count(compensation) == min(times + 1, 3)
    assert len([r for r in caplog.records if "parked" in r.getMessage()]) == (times == 3)
    assert f"shoal_sagas_parked {int(times == 3)}" in metrics
    if times == 3:
        assert (ended.direction, ended.step) == ("backward", next(s for s, c in UNDONE.items() if c == compensation))
    else:
        assert await travel.bookings() == set()


async def test_a_pivot_of_which_nobody_knows_whether_it_happened_is_parked() -> None:
    travel = Travel()
    travel.bank.status = 422
    async with travel.running() as host:
        await travel.begin(host, "a")
        parked = await travel.until("a", "parked")
    assert (parked.step, travel.script.calls.count("pay")) == ("pay", 1)
    assert not [call for call in travel.script.calls if call.startswith("cancel")]


@pytest.mark.parametrize("where", [*STEPS, "cancel_room", "cancel_seat"])
async def test_another_replica_goes_on_after_a_crash_in_the_middle_of_a_step(where: str) -> None:
    travel = Travel()
    if where.startswith("cancel"):
        travel.script.fail("pay", 1, "permanent")
    reached = travel.script.hold(where)
    first, second = travel.host("0"), travel.host("1")
    await first.start()
    await travel.begin(first, "a")
    async with asyncio.timeout(5):
        await reached.wait()
    await second.start()
    await crash(first)
    travel.script.gates[where].set()
    ended = await travel.until("a", "completed", "compensated")
    await second.stop()
    await first.stop()
    assert ended.status == ("compensated" if where.startswith("cancel") else "completed")
    assert travel.script.calls.count(where) == 2
    assert len(travel.script.keys[where]) == 1
    assert await travel.bookings() == (set() if where.startswith("cancel") else {"a-seat", "a-paid", "a-told"})


async def test_two_replicas_never_drive_one_saga_at_the_same_time() -> None:
    travel = Travel()
    hosts = [travel.host(str(number)) for number in range(3)]
    for host in hosts:
        await host.start()
    for number in range(30):
        await travel.begin(hosts[number % 3], str(number))
    for number in range(30):
        await travel.until(str(number), "completed")
    for host in hosts:
        await host.stop()
    assert {step: travel.script.calls.count(step) for step in STEPS} == dict.fromkeys(STEPS, 30)


async def test_a_replica_that_lost_its_right_unknowingly_cannot_commit() -> None:
    travel = Travel()
    reached = travel.script.hold("book_room")
    frozen, other = travel.host("0"), travel.host("1")
    await frozen.start()
    await travel.begin(frozen, "a")
    async with asyncio.timeout(5):
        await reached.wait()
    taken = await travel.find("a")
    assert taken is not None
    await other.start()
    side = next(side for side in other._sides if isinstance(side, SagaSide))
    side._held.update(dict.fromkeys(range(4), cast("Lease", None)))  # as if the rights had passed on
    gate = travel.script.gates.pop("book_room")
    travel.script.fail("book_room", 1, "permanent")
    assert side._take([taken])
    ended = await travel.until("a", "compensated")
    calls = len(travel.script.calls)
    gate.set()
    await true(lambda: not in_hand(frozen))
    assert await travel.find("a") == ended
    assert len(travel.script.calls) == calls
    side._held.clear()
    await other.stop()
    await frozen.stop()


async def test_many_waiting_sagas_are_not_kept_in_memory() -> None:
    travel = Travel(backoff=600.0)
    travel.script.fail("book_seat", 300)
    async with travel.running() as host:
        for number in range(300):
            await travel.begin(host, str(number))
        await true(lambda: travel.script.calls.count("book_seat") == 300 and not in_hand(host))
        reached = travel.script.hold("pay")
        travel.clock.advance(700)
        await true(lambda: reached.is_set() and travel.script.calls.count("pay") == 64)
        assert in_hand(host) == 64
        travel.script.gates["pay"].set()
        for number in range(300):
            await travel.until(str(number), "completed")
    assert travel.script.calls.count("book_seat") == 600
    assert travel.script.calls.count("pay") == 300


async def test_what_ended_long_ago_is_forgotten_with_its_journal() -> None:
    travel = Travel()
    async with travel.running() as host:
        await travel.begin(host, "a")
        await travel.until("a", "completed")
        now = travel.clock.now()
        assert await forget(travel.store, range(4), now + timedelta(days=29)) == 0
        assert await forget(travel.store, range(4), now + timedelta(days=31)) == 1
    assert await travel.find("a") is None
    assert await travel.journal("a") == []


async def test_what_is_forgotten_goes_in_commits_that_every_engine_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "MOST", 3)
    travel = Travel()
    async with travel.running() as host:
        for saga in "ab":
            await travel.begin(host, saga)
            await travel.until(saga, "completed")
        then, before = travel.clock.now() + timedelta(days=31), len(await travel.journal("a"))
        assert before > 3
        assert await forget(travel.store, range(4), then) == 1
        assert sorted([len(await travel.journal(saga)) for saga in "ab"]) == [before - 3, before]
        while await forget(travel.store, range(4), then):
            pass
    assert [await travel.find(saga) for saga in "ab"] == [None, None]
    assert [await travel.journal(saga) for saga in "ab"] == [[], []]


async def test_more_than_a_page_of_what_ended_long_ago_is_forgotten_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "PAGE", 2)
    travel = Travel()
    async with travel.running() as host:
        for key in "abcde":
            await travel.begin(host, key)
        for key in "abcde":
            await travel.until(key, "completed")
    travel.clock.advance(timedelta(days=31).total_seconds())
    async with travel.running():
        async with asyncio.timeout(10):
            while [key for key in "abcde" if await travel.find(key) is not None]:  # noqa: ASYNC110 - rows of a store
                await asyncio.sleep(0.01)


async def test_a_replica_without_rights_waits_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    travel = Travel(backoff=600.0)
    travel.script.fail("book_seat", 1)
    async with travel.running() as host:
        await travel.begin(host, "a")
        await true(lambda: travel.script.calls == ["book_seat"] and not in_hand(host))
        side = next(side for side in host._sides if isinstance(side, SagaSide))
        held = dict(side._held)
        side._held.clear()
        looks, look = [], side._look

        async def counted() -> bool:
            looks.append(1)
            if len(looks) > 100:
                raise asyncio.CancelledError("it looks in a circle")
            return await look()

        monkeypatch.setattr(side, "_look", counted)
        travel.clock.advance(700)
        await true(lambda: bool(looks) and side._until_next() > 0)
        assert len(looks) < 10
        side._held.update(held)
        side._news()
        await travel.until("a", "completed")


async def test_what_was_read_before_a_saga_went_on_is_not_driven_again() -> None:
    travel = Travel(backoff=600.0)
    travel.script.fail("book_room", 1)
    async with travel.running() as host:
        await travel.begin(host, "a")
        await true(lambda: travel.script.calls == ["book_seat", "book_room"] and not in_hand(host))
        early = await travel.find("a")
        assert early is not None
        travel.clock.advance(700)
        await travel.until("a", "completed")
        await true(lambda: not in_hand(host))
        side = next(side for side in host._sides if isinstance(side, SagaSide))
        assert not side._take([early])
    assert travel.script.calls == ["book_seat", "book_room", *STEPS[1:]]
