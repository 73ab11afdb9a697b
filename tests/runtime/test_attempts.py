"""What is remembered of messages that were tried, and for how long."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from shoal.drivers.memory import MemoryStore
from shoal.runtime.consuming.attempts import ATTEMPTS, KEPT, NONE, Attempts, Ledger, State, Try

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TRIES = tuple(Try(at=NOW, replica="0", error=f"E{number}", stack=("a.py:1 f: x",)) for number in range(3))


@pytest.fixture(name="store")
async def _store() -> MemoryStore:
    store = MemoryStore()
    await store.migrate((), (ATTEMPTS,))
    return store


async def write(store: MemoryStore, message: str, attempts: Attempts) -> None:
    ledger = Ledger("S/c")
    async with store.session() as session:
        ledger.write(session, message, attempts, NOW)


async def test_of_a_dead_message_only_the_last_error_stays_in_memory(store: MemoryStore) -> None:
    whole = Attempts(state="dead", count=3, history=TRIES)
    await write(store, "m", whole)
    ledger = Ledger("S/c")
    await ledger.open(store, NOW)
    brief = Attempts(state="dead", count=3, history=(Try(at=NOW, replica="0", error="E2"),))
    assert ledger.of("m") == brief
    assert await ledger.read(store, "m") == whole
    assert ledger.of("m") == brief


@pytest.mark.parametrize("state", get_args(State))
async def test_what_is_old_is_let_go_of_but_not_who_holds_the_consumer(store: MemoryStore, state: State) -> None:
    await Ledger("S/c").open(store, NOW)
    await write(store, "m", Attempts(state=state, count=1, history=TRIES))
    ledger = Ledger("S/c")
    assert await ledger.open(store, NOW + KEPT - timedelta(seconds=1)) == 1
    assert ledger.of("m").state == state
    assert await ledger.open(store, NOW + 3 * KEPT) == 2
    assert ledger.of("m") is NONE
