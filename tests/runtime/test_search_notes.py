"""Notes of what changed are let go of in commits that every engine takes."""

import pytest

from shoal.drivers.base import Table
from shoal.drivers.memory import MemoryStore
from shoal.drivers.memory.session import MemorySession
from shoal.runtime.search import changes
from tests.runtime.test_searching import Book


async def test_notes_are_let_go_in_commits_that_every_engine_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    sizes: dict[MemorySession, int] = {}
    delete = MemorySession.delete

    def counted(session: MemorySession, table: Table, key: object) -> None:
        sizes[session] = sizes.get(session, 0) + 1
        delete(session, table, key)

    monkeypatch.setattr(MemorySession, "delete", counted)
    monkeypatch.setattr(changes, "MOST", 2)
    async with store.session() as session:
        for number in range(5):
            changes.note(session, Book, str(number))
        changes.note_all(session, Book)
    notes = [*await changes.pending(store, "books", 9), *await changes.replaced(store, "books")]
    assert len(notes) == 6
    taken = await changes.number(store, "books")
    await changes.done(store, "books", taken, notes[:3])
    await changes.settled(store, "books", taken, "books-1", 1, notes[3:])
    assert max(sizes.values()) == 2
    assert not await changes.pending(store, "books", 9)
    assert not await changes.replaced(store, "books")
