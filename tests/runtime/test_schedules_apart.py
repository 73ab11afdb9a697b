"""A schedule that asks for a process of its own: no replica runs it where one does, and that one runs what is due."""

import logging
import time
from datetime import timedelta

import pytest

from shoal import Postgres, Service, Tick, Transaction
from shoal.drivers.memory import MemoryStore
from shoal.errors import DeclarationError
from shoal.model.schedule import GIVEN_UP
from shoal.runtime import once as once_module
from shoal.runtime.clients import LocalTransport
from shoal.runtime.config import ServiceConfig
from shoal.runtime.host import Fittings, Host
from shoal.runtime.once import due
from shoal.runtime.recording import apart
from shoal.runtime.schedules.operator import states
from shoal.service.describe import describe_service
from shoal.telemetry.spans import INTERNAL
from shoal.testing import MovableClock
from tests.telemetry.received import receiving

HOUR = timedelta(hours=1)
ran: list[str] = []

reports = Service("reports", store=Postgres(migrations=""))


@reports.every(HOUR, apart=True, attempts=2, backoff=0.1)
async def heavy(tick: Tick, tx: Transaction) -> None:
    """Take a lot of memory."""
    ran.append("heavy")
    if len(ran) in failing:
        raise ValueError("not yet")


@reports.every(HOUR)
async def light(tick: Tick) -> None:
    """Take next to none."""
    ran.append("light")


failing: set[int] = set()


@pytest.fixture(autouse=True)
def _afresh() -> None:
    ran.clear()
    failing.clear()


def host(store: MemoryStore, clock: MovableClock, apart: str = "") -> Host:
    config = ServiceConfig(system="t", entry=reports.entry, environ={}, drain=2.0, apart=apart)
    return Host(reports, config, Fittings(transport=LocalTransport(), clock=clock, store=store))


async def once(store: MemoryStore, clock: MovableClock) -> bool:
    alone = host(store, clock)
    try:
        return await due(alone, "heavy")
    finally:
        await alone.stop()


async def test_a_process_of_its_own_runs_what_is_due_once() -> None:
    store, clock = MemoryStore(), MovableClock()
    assert await once(store, clock)  # from now on it is counted
    assert ran == []
    clock.advance(HOUR)
    assert await once(store, clock)
    assert await once(store, clock)
    assert ran == ["heavy"]


async def test_what_fails_is_tried_again_and_given_up() -> None:
    store, clock = MemoryStore(), MovableClock()
    assert await once(store, clock)
    clock.advance(HOUR)
    failing.update({1, 3, 4})
    assert await once(store, clock)
    assert ran == ["heavy", "heavy"]
    clock.advance(HOUR)
    assert not await once(store, clock)
    assert (await states(store))["heavy"].outcome == "abandoned"
    assert await once(store, clock)  # nothing is due any more
    assert len(ran) == 4


async def test_replicas_leave_it_where_they_are_told() -> None:
    store, clock = MemoryStore(), MovableClock()
    replica = host(store, clock, apart="heavy")
    await replica.start()
    side = next(side for side in replica.sides if type(side).__name__ == "ScheduleSide")
    await side._prepare()  # type: ignore[attr-defined]
    clock.advance(HOUR)
    await side._round()  # type: ignore[attr-defined]
    await replica.stop()
    assert ran == ["light"]
    assert await once(store, clock)
    assert ran == ["light", "heavy"]


async def test_there_must_be_such_a_schedule() -> None:
    alone = host(MemoryStore(), MovableClock())
    with pytest.raises(DeclarationError, match="reports has no schedule heavier"):
        await due(alone, "heavier")
    await alone.stop()


def test_it_is_part_of_what_is_declared() -> None:
    assert [one.apart for one in describe_service(reports).schedules] == [True, False]


async def test_what_such_a_process_does_is_recorded_and_sent_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async def short(host: Host, schedule: str) -> bool:
        host.act()
        apart(None, f"run {schedule}", INTERNAL, time.time_ns())
        return False

    monkeypatch.setattr(once_module, "due", short)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    with receiving() as receiver:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        config = ServiceConfig(system="t", entry="tests.telemetry.bridged:bay", environ=environ)
        assert await once_module.run(config, "heavy") == GIVEN_UP
        assert [(one.name, one.service) for one in receiver.spans()] == [("run heavy", "bay")]
