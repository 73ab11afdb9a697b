"""Compare a read model with what its events fold to, byte for byte, while events keep coming."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from shoal.drivers.base import Query, Row, Session, Store, Table
from shoal.runtime.projections import fold
from shoal.runtime.projections.fold import Fold, Places, compile_fold
from shoal.runtime.projections.standing import Standing, standings
from shoal.runtime.projections.tables import Checkpoint
from shoal.runtime.projections.twins import Progress, catch_up, fill, rest, twins
from shoal.runtime.projections.unread import told, unread
from shoal.service import codec
from shoal.service.declare import Service

PAGE = 500
"""Records that are compared at a time."""

HIDDEN = "(personal)"
"""Stands for what says something of a person."""

SHOWN = 5
"""Differences that are described."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One record that is not what its events say."""

    table: str
    key: str
    live: str | None
    """The record as JSON; None when there is none."""
    folded: str | None
    """What it should be."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A read model beside the fold of its events, at one place of the journal."""

    name: str
    position: int
    events: int
    """Events that the live model counts."""
    folded: int
    """Events that the journal holds up to there."""
    rows: int
    digest: str
    """SHA-256 of all live records in the order of their keys."""
    differing: int
    differences: tuple[Difference, ...]
    """The first of them."""
    unread: Mapping[str, int] = {}
    """Events of the journal that it should fold and cannot, by their type."""

    @property
    def same(self) -> bool:
        """Whether the read model equals the fold of its events."""
        return not self.differing and self.events == self.folded and not self.unread


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """All that can be said of one projection."""

    standing: Standing
    comparison: Comparison

    @property
    def complaints(self) -> tuple[str, ...]:
        """Say in sentences what is wrong; empty when the read model equals the fold of all events noted so far."""
        at, found = self.standing, self.comparison
        said = [f"{found.name} {d.table} {d.key}: is {d.live}, its events say {d.folded}" for d in found.differences]
        if found.events != found.folded:
            said.append(f"{found.name} has folded {found.events} events where the journal holds {found.folded}")
        if found.unread:
            said.append(f"{found.name}: no handler and no upcaster takes {told(found.unread)} in the journal")
        if at.error:
            said.append(f"{found.name} stands still: {at.error}")
        if at.parked:
            said.append(f"{found.name}: {at.parked} events wait for earlier ones of their keys")
        behind = at.behind + at.waiting - at.parked
        return (*said, *([f"{found.name} is {behind} events behind"] if behind and not at.error else []))


async def verify(store: Store, service: Service) -> list[Verified]:
    """Compare every projection of a service with the fold of its events.

    It works in twins of the tables, which it removes; the live ones are only read, and their writers wait while the
    last step compares.
    """
    folds = [compile_fold(projection, service.projections) for projection in service.projections]
    compared = [await compare(store, each) for each in folds]
    return [
        Verified(standing=at, comparison=found)
        for at, found in zip(await standings(store, folds), compared, strict=True)
    ]


async def compare(store: Store, each: Fold, progress: Progress = lambda _done, _total: None) -> Comparison:
    """Fold a projection's events beside it, up to where it has come, and compare."""
    await fold.begin(store, each)
    async with twins(store, each) as made:
        await fill(store, made, progress, upto=(await _checkpoint(store, each)).position)
        await catch_up(store, made, upto=(await _checkpoint(store, each)).position)
        async with store.session() as session:
            live = await fold.checkpoint(session, each, lock=True)
            await rest(store, made, live.position)
            return await _compare(session, each, made.fold.live, live, (await made.reached(session)).events)


async def _checkpoint(store: Store, each: Fold) -> Checkpoint:
    async with store.session() as session:
        return await fold.checkpoint(session, each)


async def _compare(session: Session, each: Fold, places: Places, live: Checkpoint, folded: int) -> Comparison:
    digest, rows, differing, shown = hashlib.sha256(), 0, 0, list[Difference]()
    for kind, table in each.live.items():
        async for left, right in _pages(session, table, places[kind]):
            rows += len(left)
            digest.update(b"\n".join(left.values()))
            found = [key for key in {**left, **right} if left.get(key) != right.get(key)]
            differing += len(found)
            shown += [
                Difference(
                    table=table.name, key=key, live=_text(table, left.get(key)), folded=_text(table, right.get(key))
                )
                for key in found[: SHOWN - len(shown)]
            ]
    return Comparison(
        name=each.name, position=live.position, events=live.events, folded=folded, rows=rows,
        digest=digest.hexdigest(), differing=differing, differences=tuple(shown), unread=await unread(session, each),
    )  # fmt: skip


async def _pages(
    session: Session, table: Table, twin: Table
) -> AsyncIterator[tuple[dict[str, bytes], dict[str, bytes]]]:
    """Read two tables side by side; the database alone decides the order of keys."""
    above: dict[str, object] = {}
    while True:
        left = await session.find(table, Query(above=above, limit=PAGE))
        last = {table.key: left[-1][table.key]} if len(left) == PAGE else {}
        right = await _all(session, twin, above, last)
        yield _spell(table, left), _spell(table, right)
        if not last:
            return
        above = last


async def _all(session: Session, twin: Table, above: dict[str, object], upto: dict[str, object]) -> Sequence[Row]:
    found: list[Row] = []
    while True:
        page = await session.find(twin, Query(above=above, at_most=upto, limit=PAGE))
        found += page
        if len(page) < PAGE:
            return found
        above = {twin.key: page[-1][twin.key]}


def _spell(table: Table, rows: Sequence[Row]) -> dict[str, bytes]:
    """Write records as bytes that differ wherever what is stored differs, however an engine spells its JSON."""
    return {
        str(row[table.key]): codec.encode({column: _spelled(table, column, row[column]) for column in table.columns})
        for row in rows
    }


def _spelled(table: Table, column: str, value: object) -> object:
    if column not in table.json or not isinstance(value, str):
        return value
    return msgspec.json.encode(msgspec.json.decode(value), order="deterministic").decode()


def _text(table: Table, spelled: bytes | None) -> str | None:
    """Show a record, but nothing of a person."""
    if spelled is None or not table.personal:
        return None if spelled is None else spelled.decode()
    hidden = {name for column in table.personal for name in (column.name, column.find)}
    shown = {name: HIDDEN if name in hidden else value for name, value in msgspec.json.decode(spelled).items()}
    return msgspec.json.encode(shown).decode()
