"""Audits and operators see what a service keeps of persons as it does: they compare it, and show nothing of it."""

import copy
from typing import cast

import pytest

from shoal.audit import Subject, check
from shoal.drivers import memory
from shoal.drivers.base import Query, Store
from shoal.drivers.memory import MemoryStore
from shoal.errors import EngineError
from shoal.model import plan
from shoal.model.target import MEMORY
from shoal.runtime.privacy.erasing import forget
from shoal.runtime.privacy.reading import readable
from shoal.runtime.privacy.sealed import GONE
from shoal.runtime.privacy.tables import KEYS
from shoal.runtime.projections.fold import compile_fold
from shoal.runtime.projections.rebuild import rebuild
from shoal.runtime.projections.verify import verify
from shoal.runtime.tables import table_of
from shoal.service.describe import describe
from shoal.testing.memory import MemorySystem
from tests.runtime.club import Letter, Member, club, desk, letters
from tests.runtime.test_privacy import EMAIL, inside, joined, sealed_store
from tests.runtime.test_privacy import _system as _system  # noqa: PLC0414 - a fixture


async def test_a_read_model_is_compared_by_what_it_means_and_shown_without_it(
    system: MemorySystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    await joined(system)
    store = sealed_store(system, "desk")
    monkeypatch.setitem(memory._rings, "desk", store.vault.ring)
    async with readable(desk, "club", store.inner, "memory://desk") as seen:
        assert (await verify(seen, desk))[0].complaints == ()
        async with seen.session() as session:
            session.put(table_of(Letter).table, {"member_id": "m1", "email": "mallory@example.org"})
        said = " ".join((await verify(seen, desk))[0].complaints)
    assert '"email":"(personal)"' in said
    assert "example.org" not in said
    await rebuild(cast("Store", store), compile_fold(letters))
    assert (await system.get("/letters/m1")).json()["email"] == EMAIL
    assert b"example.org" not in inside(store)


async def test_what_stays_sealed_is_not_compared(system: MemorySystem) -> None:
    await joined(system)
    store = sealed_store(system, "desk")
    with pytest.raises(EngineError):
        async with readable(desk, "club", store.inner, "memory://another"):
            pass
    declared, planned = club, plan(describe(club), MEMORY).require()
    subject = Subject(
        declared=declared, plan=planned, now=system.clock.now, stores={"desk": store.inner}, sealed={"desk": "no ring"}
    )
    found = [(each.state, each.note) for each in (await check(subject)).outcome("I6")]
    assert ("unchecked", "desk stays sealed: no ring") in found


async def test_who_was_erased_while_a_table_was_built_anew_leaves_no_hash_in_it(system: MemorySystem) -> None:
    await joined(system)
    store = sealed_store(system, "members")
    table = table_of(Member).table
    seen = cast("Store", store)
    twin = await seen.twin(table)
    async with seen.session() as session:
        session.put(twin, dict(await session.get(table, "m1") or {}))
    async with seen.session() as session:
        await forget(session, "m1", system.clock.now())
    async with seen.session() as session:
        await session.replace(table, twin)
    async with store.inner.session() as session:
        row = await session.get(table, "m1") or {}
    assert (row["email"], row["email_find"]) == (GONE, None)


async def test_a_key_that_a_late_copy_still_has_is_remembered_by_nobody(
    system: MemorySystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    await joined(system)
    store = sealed_store(system, "members")
    late = MemoryStore()
    late._state.tables = copy.deepcopy(cast("MemoryStore", store.inner)._state.tables)
    async with store.session() as session:
        keys = [str(row["id"]) for row in await session.find(KEYS.table, Query(where={"subject": "m1"}))]
        await forget(session, "m1", system.clock.now())
    store.vault.forget("m1")
    monkeypatch.setattr(store.inner, "reads", late.session)
    async with store.reads() as reads:
        found = await reads.get(table_of(Member).table, "m1")
    assert found is not None
    assert found["email"] == EMAIL
    async with store.session() as session:
        assert await store.vault.for_reading(session, keys, {}) == {}
