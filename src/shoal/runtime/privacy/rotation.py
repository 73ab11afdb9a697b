"""Renew a service's keys while it runs: old ones stay readable until nothing is wrapped by them."""

import msgspec

from shoal.drivers.base import Query, Store
from shoal.runtime.privacy.tables import ERASED, KEYS, WRAPPING
from shoal.runtime.privacy.vault import Vault

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


async def renew(vault: Vault, inner: Store) -> Renewed:
    """Make a new key of the ring and a new one of the service's own, and wrap every data key anew."""
    await vault.open(inner)
    name = await vault.ring.renew()
    async with inner.session() as session:
        await session.claim("shoal\nwrapping keys")
        before = [str(r["id"]) for r in await session.find(WRAPPING.table, Query(where={"purpose": "wrap"}))]
        newest = await vault.add(session, "wrap")
        await vault.rewrap_find(session)
    count = 0
    while moved := await _move(vault, inner, tuple(before), newest):
        count += moved
    return Renewed(ring=name, data_keys=count, dropped=await _drop(inner, newest))


async def _move(vault: Vault, inner: Store, old: tuple[str, ...], newest: str) -> int:
    """Wrap some data keys anew; rows are held, so that one that goes with its person does not come back."""
    async with inner.session() as session:
        query = Query(where={"under": old}, limit=BATCH, lock=True)
        rows = await session.find(KEYS.table, query)
        for key in await vault.unwrapped(session, rows):
            session.put(KEYS.table, vault.row(key, newest))
    return len(rows)


async def _drop(inner: Store, newest: str) -> int:
    """Drop wrapping keys that nothing needs, but not the one that others may be wrapping with at this moment."""
    async with inner.session() as session:
        rows = await session.find(WRAPPING.table, Query(where={"purpose": "wrap"}, order=("-made",)))
        dropped = 0
        for row in rows[2:]:
            if row["id"] != newest and not await session.count(KEYS.table, {"under": row["id"]}):
                session.delete(WRAPPING.table, row["id"])
                dropped += 1
    return dropped


async def standing(inner: Store) -> Standing:
    """Count the keys of a service."""
    async with inner.session() as session:
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
