"""Two erasures that meet in the same rows both end, and neither waits for the other for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from shoal.drivers.base import PersonalColumn, Query, Store, Table
from shoal.drivers.memory import MemoryStore
from shoal.drivers.memory.keyring import MemoryKeyRing
from shoal.drivers.memory.session import MemorySession
from shoal.runtime.clock import SystemClock
from shoal.runtime.privacy.sealed import GONE
from shoal.runtime.privacy.session import SealedSession, SealedStore
from shoal.runtime.privacy.vault import Vault
from tests.conformance.harness import soon

GIFTS = Table(
    name="gifts", key="id", columns=("id", "giver", "taker", "card", "thanks"),
    personal=(
        PersonalColumn(name="card", of="giver", find="", spelled=None, erased="", place="gifts\ncard"),
        PersonalColumn(name="thanks", of="taker", find="", spelled=None, erased="", place="gifts\nthanks"),
    ),
)  # fmt: skip


async def test_two_who_gave_each_other_something_are_erased_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemorySession, "find", slowly(MemorySession.find))
    inner = MemoryStore()
    await inner.open()
    vault = Vault("club", "gifts", MemoryKeyRing(), SystemClock(), lambda: 0.0)
    await vault.open(inner)
    store = SealedStore.of(inner, vault, "club\ngifts", cast("Any", None), [GIFTS])
    async with store.session() as session:
        for id_, giver, taker in (("1", "ada", "eve"), ("2", "eve", "ada")):
            session.insert(GIFTS, {"id": id_, "giver": giver, "taker": taker, "card": "for you", "thanks": "thanks"})
    found = await soon(asyncio.gather(erase(store, "ada"), erase(store, "eve")))
    assert [*found] == [(1, 2), (1, 2)]
    async with inner.session() as session:
        rows = await session.find(GIFTS, Query())
    assert {(row["card"], row["thanks"]) for row in rows} == {(GONE, GONE)}


async def erase(store: Store, person: str) -> tuple[int, int]:
    async with store.session() as session:
        return await cast("SealedSession", session).erase(person)


def slowly(find: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Let others have their turn before each look, as over a network."""

    async def turn(*words: Any) -> Any:
        await asyncio.sleep(0)
        return await find(*words)

    return turn
