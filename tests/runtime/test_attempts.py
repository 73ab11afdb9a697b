"""What is written of messages that were tried: found by the next holder, bounded, and gone in the end."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from shoal.drivers.base import Query
from shoal.drivers.memory import MemoryStore
from shoal.runtime.consuming import attempts
from shoal.runtime.consuming.attempts import ATTEMPTS, KEPT, NONE, Attempts, Tally, Try, attempt

NOW = datetime(2026, 5, 1, tzinfo=UTC)


async def written(store: MemoryStore, consumer: str, *names: str, at: datetime = NOW, state: str = "trying") -> None:
    tally = Tally(consumer)
    async with store.session() as session:
        for number, name in enumerate(names):
            tried = Attempts(state=msgspec.convert(state, attempts.State), count=number + 1)
            tally.write(session, name, tried, at + timedelta(seconds=number))


async def rows(store: MemoryStore) -> set[str]:
    async with store.session() as session:
        return {str(row["id"]) for row in await session.find(ATTEMPTS.table, Query())}


async def test_the_next_holder_knows_them_but_not_those_of_other_consumers() -> None:
    store = MemoryStore()
    await written(store, "S/a", "one", "two")
    await written(store, "S/b", "three")
    tally = Tally("S/a")
    assert await tally.open(store, NOW) == 0
    assert [tally.of(name).count for name in ("one", "two", "three")] == [1, 2, 0]


async def test_only_the_latest_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "MOST_KNOWN", 3)
    store, tally = MemoryStore(), Tally("S/a")
    await written(store, "S/a", *map(str, range(10)))
    await tally.open(store, NOW)
    assert [name for name in map(str, range(10)) if tally.of(name) is not NONE] == ["7", "8", "9"]


async def test_they_are_forgotten_when_nothing_can_bring_the_message_back() -> None:
    store, tally = MemoryStore(), Tally("S/a")
    for state in ("trying", "dying", "dead", "purged"):
        await written(store, "S/a", f"old {state}", at=NOW - KEPT, state=state)
        await written(store, "S/a", state, state=state)
    await tally.open(store, NOW)
    await tally.close(store)
    assert await rows(store) == {"S/a trying", "S/a dying", "S/a dead", "S/a purged"}


async def test_holders_that_end_suddenly_are_counted_until_one_ends_in_order_or_lives_long() -> None:
    store = MemoryStore()
    assert [await Tally("S/a").open(store, NOW) for _ in range(3)] == [0, 1, 2]
    tally = Tally("S/a")
    assert await tally.open(store, NOW) == 3
    await tally.calm(store, NOW)
    assert await Tally("S/a").open(store, NOW) == 1
    await tally.close(store)
    assert await Tally("S/a").open(store, NOW) == 0


def test_history_is_bounded_and_keeps_the_last_stack_whole() -> None:
    def deep(levels: int) -> None:
        if not levels:
            raise ValueError("x" * 5000 + "\n\x00\ud800")
        deep(levels - 1)

    found = NONE
    for number in range(50):
        try:
            deep(30)
        except ValueError as error:
            found = found.failed(attempt(error, str(number), NOW))
    assert found.count == 50
    assert [one.replica for one in found.history] == [str(number) for number in range(30, 50)]
    assert len(found.history[-1].stack) > len(found.history[0].stack)
    text = msgspec.json.encode(found.history)
    assert len(text) < 64_000
    assert b"\\u0000" not in text


def test_what_was_noted_before_is_corrected_or_taken_back() -> None:
    before = NONE.failed(Try(at=NOW, replica="0", error="the process ended"))
    assert before.corrected(Try(at=NOW, replica="0", error="ValueError")).history[0].error == "ValueError"
    assert (before.undone().count, before.undone().history) == (0, ())
