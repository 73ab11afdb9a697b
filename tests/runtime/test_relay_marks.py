"""The relay marks what was acknowledged while it publishes more, and before it looks at anything else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from shoal.drivers.base import OutboxLease
from shoal.drivers.memory import MemoryStore
from shoal.errors import Unavailable
from shoal.runtime import relay as module
from shoal.runtime.relay import Notes, Shift
from tests.runtime.test_relay import AWAY, STREAM, Bus, announce, message, until


@pytest.fixture
async def bus() -> Bus:
    bus = Bus()
    await bus.declare([STREAM], [])
    return bus


class Around:
    """A right to empty an outbox, with something done before one of its methods."""

    def __init__(self, lease: OutboxLease, before: dict[str, Callable[[], Awaitable[None]]]) -> None:
        self._lease, self._before = lease, before

    def __getattr__(self, name: str) -> Any:
        async def call(*args: Any) -> Any:
            if name in self._before:
                await self._before[name]()
            return await getattr(self._lease, name)(*args)

        return call


@asynccontextmanager
async def on_shift(
    store: MemoryStore, bus: Bus, before: dict[str, Callable[[], Awaitable[None]]]
) -> AsyncIterator[asyncio.Task[None]]:
    async with store.outbox() as lease:
        around = cast("OutboxLease", Around(lease, before))
        task = asyncio.create_task(Shift(around, bus, STREAM.name, asyncio.Event(), Notes()).run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_a_round_is_marked_while_the_next_is_published(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    store = MemoryStore()
    await announce(store, *(message(number, "k") for number in range(4)))

    async def after_the_next() -> None:
        await until(lambda: len(bus.ids) == 4)

    async with on_shift(store, bus, {"sent": after_the_next}):
        await until(lambda: not store._state.waiting())
    assert bus.ids == ["m0", "m1", "m2", "m3"]
    assert max(bus.tries.values()) == 1


async def test_streams_are_compared_once_all_is_marked(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 1)
    monkeypatch.setattr(module, "COMPARE_SECONDS", 0.0)
    store = MemoryStore()
    await announce(store, *(message(number) for number in range(3)))
    found: list[tuple[int, int]] = []

    async def compare() -> None:
        found.append((store._state.highest, len(bus.ids)))

    async with on_shift(store, bus, {"highest": compare}):
        await until(lambda: not store._state.waiting())
    assert {highest for highest, _ in found} >= {0, 1, 2}
    assert all(highest == last for highest, last in found)


async def test_what_was_acknowledged_is_marked_when_the_relay_ends(bus: Bus) -> None:
    store = MemoryStore()
    await announce(store, message(0))

    async def once() -> None:
        if bus.ids:
            raise AWAY

    async with on_shift(store, bus, {"pending": once}) as shift:
        with pytest.raises(Unavailable):
            await shift
        assert not store._state.waiting()
