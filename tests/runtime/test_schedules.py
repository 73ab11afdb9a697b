"""Schedules: each due time once over all replicas, whatever happens meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from shoal import Postgres, Service, Tick, Transaction, Unavailable, event, record
from shoal.drivers.base import Lease, Query, Table
from shoal.drivers.memory import MemoryStore
from shoal.runtime.host import Host
from shoal.runtime.schedules.rows import SCHEDULES, State, from_row
from shoal.runtime.schedules.side import ScheduleSide
from shoal.runtime.tables import table_of
from shoal.testing import MovableClock
from tests.runtime.fleet import PATIENCE, Replicas, replicas, until

HOUR = timedelta(hours=1)
Work = Callable[[Tick], Awaitable[None]]


@record("runs", key="due")
class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """One row for each run; a second one for a due time would be a conflict."""

    due: datetime


@event("clocks.struck")
class Struck(msgspec.Struct, frozen=True, kw_only=True):
    due: datetime


class Clockwork:
    """What the handler of the service under test meets and does."""

    def __init__(self) -> None:
        self.ticks: list[Tick] = []
        self.work: Work | None = None

    async def __call__(self, tick: Tick) -> None:
        self.ticks.append(tick)
        if self.work is not None:
            await self.work(tick)


clockwork = Clockwork()

skipping = Service("skipping", store=Postgres(migrations=""))
once = Service("once", store=Postgres(migrations=""), publishes=[])
catching = Service("catching", store=Postgres(migrations=""))
striking = Service("clocks", store=Postgres(migrations=""), publishes=[Struck])
daily = Service("daily", store=Postgres(migrations=""))


@skipping.every(HOUR, missed="skip", backoff=10, attempts=3)
@once.every(hours=1, backoff=10, attempts=3, timeout=5)
@catching.every(minutes=60, missed="all")
async def strike(tick: Tick, tx: Transaction) -> None:
    """Note the time."""
    await clockwork(tick)
    tx.insert(Ran(due=tick.due))


@striking.every(HOUR)
async def announce(tick: Tick, tx: Transaction) -> None:
    """Say the time."""
    tx.publish(Struck(due=tick.due))


@daily.cron("30 2 * * *", zone="Europe/Berlin", name="nightly")
async def night(tick: Tick) -> None:
    """Take nothing but the time."""
    await clockwork(tick)


@pytest.fixture(autouse=True)
def _wound_up() -> Iterator[None]:
    clockwork.ticks.clear()
    clockwork.work = None
    yield
    clockwork.work = None


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


async def state(store: MemoryStore, name: str = "strike") -> State | None:
    async with store.session() as session:
        row = await session.get(SCHEDULES.table, name)
    return None if row is None else from_row(row)


async def change(store: MemoryStore, **fields: object) -> None:
    async with store.session() as session:
        row = await session.get(SCHEDULES.table, "strike")
        assert row is not None
        session.put(SCHEDULES.table, {**row, **fields})


async def known(store: MemoryStore, name: str = "strike") -> State:
    """Wait until the schedule is counted."""
    await until(lambda: state(store, name))
    found = await state(store, name)
    assert found is not None
    return found


async def settled(store: MemoryStore, at: datetime) -> None:
    async def is_settled() -> bool:
        found = await state(store)
        return found is not None and found.settled >= at

    await until(is_settled)


def hours_after(moment: datetime, count: int = 1) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0) + count * HOUR


async def test_nothing_is_due_before_its_time_and_each_due_time_comes_once(store: MemoryStore) -> None:
    async with replicas(once, [store, store, store]) as running:
        first = hours_after((await known(store)).settled)
        assert clockwork.ticks == []
        for number in range(3):
            running.clock.advance(HOUR)
            await settled(store, first + number * HOUR)
        assert [tick.due for tick in clockwork.ticks] == [first, first + HOUR, first + 2 * HOUR]
        assert [tick.previous for tick in clockwork.ticks] == [None, first, first + HOUR]
        assert {tick.attempt for tick in clockwork.ticks} == {1}
    assert len(running.lines(schedule="strike", outcome="ok")) == 3


async def at_rest(host: Host, clock: MovableClock) -> None:
    """Wait until a look at the clock has found that nothing is left to do."""
    side = next(side for side in host._sides if isinstance(side, ScheduleSide))
    look, rests = side._round, asyncio.Event()

    async def noted() -> float:
        was_idle, seconds = not side._working, await look()
        if was_idle and not side._working:
            rests.set()
        return seconds

    side._round = noted  # type: ignore[method-assign]
    clock.advance(1)
    async with asyncio.timeout(PATIENCE):
        await rests.wait()


async def missed(store: MemoryStore, service: Service, hours: int, after: timedelta) -> tuple[datetime, list[datetime]]:
    """Let hours pass while nobody is there; return the first due time of them, and what ran then."""
    async with replicas(service, [store]) as running:
        began = (await known(store)).settled
    first = hours_after(began)
    clock = first + (hours - 1) * HOUR + after - datetime.now(UTC)
    running = Replicas(service=service, clock=running.clock)
    running.clock.advance(clock)
    host = await running.join(store)
    await at_rest(host, running.clock)
    await running.end(host)
    return first, [tick.due for tick in clockwork.ticks]


async def test_missed_once_is_one_run_for_the_latest(store: MemoryStore) -> None:
    first, ran = await missed(store, once, 5, timedelta(minutes=20))
    assert ran == [first + 4 * HOUR]


async def test_missed_skip_is_no_run(store: MemoryStore) -> None:
    _, ran = await missed(store, skipping, 5, timedelta(minutes=20))
    assert ran == []


async def test_missed_skip_still_runs_what_is_a_little_late(store: MemoryStore) -> None:
    first, ran = await missed(store, skipping, 5, timedelta(seconds=20))
    assert ran == [first + 4 * HOUR]


async def test_missed_all_is_one_run_for_each_in_order(store: MemoryStore) -> None:
    async with replicas(catching, [store]) as running:
        first = hours_after((await known(store)).settled)
        running.clock.advance(5 * HOUR)
        await settled(store, first + 4 * HOUR)
    assert [tick.due for tick in clockwork.ticks] == [first + number * HOUR for number in range(5)]


async def test_missed_all_is_bounded(store: MemoryStore) -> None:
    async with replicas(catching, [store]) as running:
        first = hours_after((await known(store)).settled)
        running.clock.advance(150 * HOUR)
        await settled(store, first + 149 * HOUR)
    assert len(clockwork.ticks) == 100


async def test_a_failed_run_is_tried_again_and_then_given_up(store: MemoryStore) -> None:
    async def fail(_: Tick) -> None:
        raise ValueError("no\0thing strikes")

    clockwork.work = fail
    async with replicas(once, [store, store]) as running:
        first = hours_after((await known(store)).settled)
        running.clock.advance(first - running.clock.now() + timedelta(seconds=1))
        for number in range(1, 4):
            await until(lambda number=number: len(clockwork.ticks) == number)
            await until(lambda number=number: _attempts(store, number))
            running.clock.advance(30)
        await settled(store, first)
        found = await known(store)
        assert (found.outcome, found.settled, found.attempts) == ("abandoned", first, 0)
        assert found.error == "ValueError: no thing strikes"
        clockwork.work = None
        running.clock.advance(HOUR)
        await settled(store, first + HOUR)
        assert (await known(store)).error is None
    assert [tick.attempt for tick in clockwork.ticks] == [1, 2, 3, 1]
    assert [line["level"] for line in running.lines(outcome="abandoned")] == ["error"]


async def _attempts(store: MemoryStore, number: int) -> bool:
    found = await known(store)
    return found.attempts == number or found.outcome == "abandoned"


async def test_what_is_away_uses_up_no_attempt_and_yields_to_the_next_run(store: MemoryStore) -> None:
    async def away(_: Tick) -> None:
        raise Unavailable("the provider is away")

    clockwork.work = away
    async with replicas(once, [store]) as running:
        first = hours_after((await known(store)).settled)
        running.clock.advance(first - running.clock.now() + timedelta(seconds=1))
        for number in range(1, 9):
            await until(lambda number=number: _outages(store, number))
            running.clock.advance(120)
        await until(lambda: _outages(store, 9))
        assert {tick.due for tick in clockwork.ticks} == {first}
        tried = await known(store)
        assert tried.attempts == 0
        assert tried.retry_at is not None
        assert tried.retry_at - running.clock.now() >= timedelta(seconds=30)  # the first delay is 10 at most
        clockwork.work = None
        running.clock.advance(HOUR)
        await settled(store, first + HOUR)
    assert clockwork.ticks[-1].due == first + HOUR


async def _outages(store: MemoryStore, number: int) -> bool:
    return (await known(store)).outages == number


async def _waits(store: MemoryStore) -> bool:
    return (await known(store)).retry_at is not None


async def test_a_run_that_takes_too_long_is_cancelled(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(_: Tick) -> None:
        await asyncio.Event().wait()

    clockwork.work = hang
    async with replicas(once, [store]) as running:
        side = running.hosts[0]._sides[0]
        compiled = side._compiled  # type: ignore[attr-defined]
        quick = msgspec.structs.replace(compiled["strike"].policy, timeout=0.01)
        compiled["strike"] = msgspec.structs.replace(compiled["strike"], policy=quick)
        await known(store)
        running.clock.advance(HOUR)
        await until(lambda: _waits(store))
        assert "Timeout" in str((await known(store)).error)


async def test_the_effect_of_a_failed_attempt_is_undone(store: MemoryStore) -> None:
    async with replicas(once, [store]) as running:
        first = hours_after((await known(store)).settled)
        async with store.session() as session:
            session.insert(runs(), {"due": first})
        running.clock.advance(HOUR)
        await until(lambda: _waits(store))
        found = await known(store)
        assert found.settled < first
        assert "Conflict" in str(found.error)


def runs() -> Table:
    return table_of(Ran).table


class TestWithTwoThatThinkTheyHaveTheRight:
    """A holder that was frozen goes on without knowing that it lost the right."""

    async def test_only_one_run_is_kept(self, store: MemoryStore) -> None:
        both = asyncio.Barrier(2)

        async def meet(_: Tick) -> None:
            await both.wait()

        clockwork.work = meet
        deaf = [_Everyone(store) for _ in range(2)]
        async with replicas(once, deaf) as running:
            first = hours_after((await known(store)).settled)
            running.clock.advance(HOUR)
            await settled(store, first)
            await until(lambda: running.lines(outcome="lost"))
            async with store.session() as session:
                kept = await session.find(runs(), Query())
        assert len(clockwork.ticks) == 2
        assert len(kept) == 1
        assert len(running.lines(outcome="ok")) == 1


class _Everyone(MemoryStore):
    """A store that gives everybody the right at once."""

    def __init__(self, real: MemoryStore) -> None:
        super().__init__()
        self._state = real._state
        self._own = MemoryStore()

    def lease(self, name: str, *, group: str = "") -> AbstractAsyncContextManager[Lease]:
        return self._own.lease(name, group=group)


async def test_another_replica_takes_over_what_was_in_hand(store: MemoryStore) -> None:
    started = asyncio.Event()

    async def hang(_: Tick) -> None:
        started.set()
        await asyncio.Event().wait()

    clockwork.work = hang
    async with replicas(once, [store]) as running:
        first = hours_after((await known(store)).settled)
        running.clock.advance(HOUR)
        await started.wait()
        clockwork.work = None
        await running.join(store)
        kill(running)
        await settled(store, first)
    assert [tick.due for tick in clockwork.ticks] == [first, first]


def kill(running: Replicas) -> None:
    """End the first replica's schedules as a kill does: at once, and whatever they hold is let go of."""
    looking = running.hosts[0]._sides[0]._looking  # type: ignore[attr-defined]
    looking.cancel()


async def test_a_clock_that_was_ahead_does_not_silence_a_schedule(store: MemoryStore) -> None:
    async with replicas(once, [store]) as running:
        first = hours_after((await known(store)).settled)
        await change(store, settled=first + 1000 * HOUR)
        running.clock.advance(1)
        await until(lambda: _is_before(store, first))
        running.clock.advance(HOUR)
        await settled(store, first)
    assert [tick.due for tick in clockwork.ticks] == [first]


async def _is_before(store: MemoryStore, moment: datetime) -> bool:
    return (await known(store)).settled < moment


async def test_a_run_that_is_asked_for_comes_at_once_and_the_next_one_all_the_same(store: MemoryStore) -> None:
    async with replicas(once, [store]) as running:
        first = hours_after((await known(store)).settled)
        now = running.clock.now()
        await change(store, asked=now)
        running.clock.advance(0.001)
        await settled(store, now)
        assert (await known(store)).asked is None
        running.clock.advance(HOUR)
        await settled(store, first)
    assert [tick.due for tick in clockwork.ticks] == [now, first]


async def test_the_due_time_is_told_on_the_clock_of_the_zone(store: MemoryStore) -> None:
    async with replicas(daily, [store]) as running:
        await known(store, "nightly")
        running.clock.advance(timedelta(days=1))
        await until(lambda: clockwork.ticks)
    shown = clockwork.ticks[0].due
    assert str(shown.tzinfo) == "Europe/Berlin"
    assert (shown.hour, shown.minute) == (2, 30) or (shown.hour, shown.minute) == (3, 0)


async def test_events_of_a_run_are_announced(store: MemoryStore) -> None:
    async with replicas(striking, [store]) as running:
        await known(store, "announce")
        running.clock.advance(HOUR)
        await until(lambda: _announced(store))


async def _announced(store: MemoryStore) -> object:
    return [row for row in await store.announced(0, 10) if "clocks.struck" in row.subject]
