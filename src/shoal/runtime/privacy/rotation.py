"""Renew a service's keys while it runs: old ones stay readable until nothing is wrapped by them."""

from itertools import pairwise

import msgspec

from shoal.drivers.base import KeyRing, Query, Store
from shoal.errors import EngineError
from shoal.runtime.privacy.tables import ERASED, KEYS, WRAPPING
from shoal.runtime.privacy.vault import OWN, Vault

BATCH = 40
"""Data keys that are wrapped anew in one transaction, which changes each and its lock: DynamoDB takes 100 changes."""


class Renewed(msgspec.Struct, frozen=True, kw_only=True):
    """What was renewed."""

    ring: str
    """Name of the ring's new key."""
    data_keys: int
    """Data keys that were wrapped anew."""
    dropped: int
    """Wrapping keys that nothing needed any more."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of one service."""

    ring: str
    """The ring's key that wraps the newest of the service's own."""
    wrapping: int
    persons: int
    data_keys: int
    behind: int
    """Data keys that are not wrapped by the newest."""
    erased: int
    """Persons who were erased."""


async def renew(vault: Vault, store: Store) -> Renewed:
    """Make a new key of the ring and a new one of the service's own, and wrap every key anew."""
    await vault.open(store)
    name = await vault.ring.renew()
    async with store.session() as session:
        await session.claim(OWN)
        before = [str(r["id"]) for r in await session.find(WRAPPING.table, Query(where={"purpose": "wrap"}))]
        await vault.rewrap(session)
        newest = await vault.add(session, "wrap")
    count = 0
    while moved := await _move(vault, store, tuple(before), newest):
        count += moved
    return Renewed(ring=name, data_keys=count, dropped=await _drop(vault, store))


async def move(vault: Vault, ring: KeyRing, store: Store) -> int:
    """Wrap the service's own keys by another ring; return how many: none, where that was done before.

    Processes that run notice nothing.

    Args:
        vault: Opens them, by the ring that they are wrapped by now.
        ring: The other.
        store: Where they are kept.
    """
    try:
        async with store.session() as session:
            await session.claim(OWN)
            return await vault.rewrap(session, ring)
    except EngineError:
        async with store.session() as session:
            if not await vault.are_in(ring, session):
                raise
        return 0


async def _move(vault: Vault, store: Store, old: tuple[str, ...], newest: str) -> int:
    """Wrap some data keys anew; rows are held, so that one that goes with its person does not come back."""
    async with store.session() as session:
        query = Query(where={"under": old}, limit=BATCH, lock=True)
        rows = await session.find(KEYS.table, query)
        for key in await vault.unwrapped(session, rows):
            session.put(KEYS.table, vault.row(key, newest))
    return len(rows)


async def _drop(vault: Vault, store: Store) -> int:
    """Drop wrapping keys that nothing needs, once nobody can still be wrapping with them."""
    async with store.session() as session:
        rows = await session.find(WRAPPING.table, Query(where={"purpose": "wrap"}, order=("-made",)))
        dropped = 0
        for newer, row in pairwise(rows):
            if vault.outlived(newer) and not await session.count(KEYS.table, {"under": row["id"]}):
                session.delete(WRAPPING.table, row["id"])
                dropped += 1
    return dropped


async def standing(store: Store) -> Standing:
    """Count the keys of a service."""
    async with store.session() as session:
        own = await session.find(WRAPPING.table, Query(where={"purpose": "wrap"}, order=("-made",)))
        keys = await session.find(KEYS.table, Query())
        erased = await session.count(ERASED.table, {})
    newest = own[0]["id"] if own else ""
    return Standing(
        ring=str(own[0]["under"]) if own else "",
        wrapping=len(own),
        persons=len({key["subject"] for key in keys}),
        data_keys=len(keys),
        behind=sum(key["under"] != newest for key in keys),
        erased=erased,
    )
