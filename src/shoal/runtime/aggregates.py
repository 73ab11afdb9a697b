"""Aggregates in a store: append-only facts, and beside them the state that they make, which can always be made anew.

The key of a fact holds its version, so that of two transactions which append at the same version one meets the other's
row. The row of the aggregate itself serves three ends: it can be locked, it tells the latest version without looking
for it, and it holds the latest snapshot.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from shoal.drivers.base import OwnTable, Query, Row, Session
from shoal.errors import EngineError, ShoalError
from shoal.service import codec
from shoal.service.aggregates import AggregateMark, Folded, Recorded, aggregate_mark
from shoal.service.context import Clock
from shoal.service.marks import fact_mark
from shoal.service.personal import refuse_personal
from shoal.service.upcasting import Upcasting

T = TypeVar("T")

FACTS = OwnTable(
    name="facts",
    key="id",
    columns=(
        ("id", "text"),
        ("aggregate", "text"),
        ("version", "integer"),
        ("kind", "text"),
        ("body", "json"),
        ("at", "time"),
    ),
    indexes=(("aggregate", "version"),),
)
"""What happened; never changed."""

AGGREGATES = OwnTable(
    name="aggregates",
    key="id",
    columns=(("id", "text"), ("version", "integer"), ("snapshot", "integer"), ("shape", "text"), ("state", "json")),
)
"""The latest version of each aggregate, and its state at the version ``snapshot``. A row that is deleted is made anew
from the facts when its aggregate is next appended to."""

PAGE = 500
"""Facts read at a time."""

_FACTS, _AGGREGATES = FACTS.table, AGGREGATES.table


class Ledger:
    """How aggregates of one class become rows and back."""

    def __init__(self, mark: AggregateMark) -> None:
        self.mark = mark
        for kind in (mark.kind, *mark.facts):
            refuse_personal(kind, "the aggregate's")
        self._state: codec.Codec[Any] = codec.Codec(mark.kind)
        self._readers: dict[str, codec.Codec[Any]] = {fact_mark(kind).id: codec.Codec(kind) for kind in mark.facts}
        self._readers |= {chain.event.id: Upcasting(chain) for chain in mark.chains}
        self._ids = {kind: fact_mark(kind).id for kind in mark.facts}

    def id(self, key: str) -> str:
        """Name an aggregate among all of a store."""
        return f"{self.mark.name}/{key}"

    def initial(self, key: str) -> Any:
        """Return an aggregate as it is before its first fact."""
        return self.mark.kind(**{self.mark.key: key})

    def snapshot(self, row: Row) -> Any | None:
        """Read the state from an aggregate's row; None when it has another shape or cannot be read."""
        if row["shape"] != self.mark.shape:
            return None
        try:
            return self._state.decode(str(row["state"]).encode())
        except codec.Malformed:
            return None

    def fact(self, row: Row) -> Any:
        """Read a fact, of any version."""
        reader = self._readers.get(str(row["kind"]))
        if reader is None:
            raise EngineError(
                f"fact {row['id']} is a {row['kind']}, of which {self.mark.kind.__name__} knows nothing",
                hint="was it recorded by a newer version of the service? keep an upcaster for what was ever recorded",
            )
        try:
            return reader.decode(str(row["body"]).encode())
        except codec.Malformed as error:
            raise EngineError(
                f"fact {row['id']} is no {row['kind']}: {error}",
                hint="let its fields accept what is stored, or give the fact a new version and an upcaster",
            ) from error

    def kind(self, fact: object) -> str:
        """Name a fact's type and version."""
        found = self._ids.get(type(fact))
        if found is None:
            raise ShoalError(
                f"{type(fact).__name__} is no fact of {self.mark.kind.__name__}",
                hint="add it to the annotation of its apply",
                where=self.mark.source,
            )
        return found


_ledgers: dict[type, Ledger] = {}


def ledger_of(kind: type) -> Ledger:
    """Return the mapping of an aggregate's class, made once."""
    found = _ledgers.get(kind)
    if found is None:
        found = _ledgers[kind] = Ledger(aggregate_mark(kind))
    return found


class _Known(msgspec.Struct, frozen=True):
    """An aggregate as this transaction knows it."""

    state: Any
    version: int
    snapshot: int
    row: Row | None
    """As it was read; None when there is none, or when it is of no use."""


class Aggregates:
    """The aggregates of one transaction."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session, self._clock = session, clock
        self._known: dict[str, _Known] = {}

    async def load(self, kind: type[T], keys: Sequence[str], *, lock: bool) -> dict[str, T]:
        """Read those that exist."""
        ledger = ledger_of(kind)
        ids = {ledger.id(key): key for key in dict.fromkeys(keys)}
        rows = await self._rows(tuple(ids), lock=lock)
        found: dict[str, T] = {}
        for id_, key in ids.items():
            known = await self._fold(ledger, id_, key, rows.get(id_))
            self._known.pop(id_, None)
            if known.version:
                self._known[id_] = known
                found[key] = known.state
        return found

    def append(self, aggregate: Folded[Any, T], fact: object) -> T:
        """Record a fact, and the state that it makes."""
        ledger = ledger_of(type(aggregate))
        id_ = ledger.id(getattr(aggregate, ledger.mark.key))
        known = self._expected(ledger, id_, aggregate)
        version = known.version + 1
        row = {
            "id": f"{id_}/{version:010}",
            "aggregate": id_,
            "version": version,
            "kind": ledger.kind(fact),
            "body": codec.encode(fact).decode(),
            "at": self._clock.now(),
        }
        self._session.insert(_FACTS, row)
        state: T = known.state.apply(fact)
        self._known[id_] = self._keep(ledger, id_, msgspec.structs.replace(known, state=state, version=version))
        return state

    async def facts(self, kind: type, key: str, above: int, limit: int) -> list[Recorded[Any]]:
        """Read what happened."""
        ledger = ledger_of(kind)
        rows = await self._page(ledger.id(key), above, limit)
        return [Recorded(version=row["version"], at=row["at"], fact=ledger.fact(row)) for row in rows]  # type: ignore[arg-type]

    async def fold(self, kind: type[T]) -> AsyncIterator[tuple[T, T | None]]:
        """Yield every aggregate of a class as all of its facts make it, with its snapshot if that is of this version.

        `EngineError` for one of which facts are missing.
        """
        ledger = ledger_of(kind)
        prefix, query = ledger.id(""), Query(order=("id",), limit=PAGE)
        while rows := await self._session.find(_AGGREGATES, query):
            query = msgspec.structs.replace(query, above={"id": rows[-1]["id"]})
            for row in rows:
                id_ = str(row["id"])
                if id_.startswith(prefix):
                    known = await self._fold(ledger, id_, id_.removeprefix(prefix), {**row, "shape": None})
                    yield known.state, ledger.snapshot(row) if row["snapshot"] == known.version else None

    async def _rows(self, ids: tuple[str, ...], *, lock: bool) -> Mapping[str, Row]:
        if len(ids) == 1:
            row = await self._session.get(_AGGREGATES, ids[0], lock=lock)
            return {} if row is None else {ids[0]: row}
        rows = await self._session.find(_AGGREGATES, Query(where={"id": ids}, lock=lock)) if ids else ()
        return {str(row["id"]): row for row in rows}

    async def _fold(self, ledger: Ledger, id_: str, key: str, row: Row | None) -> _Known:
        """Begin with the snapshot, where there is one of this shape, and apply what happened since."""
        state = None if row is None else ledger.snapshot(row)
        version = 0 if row is None or state is None else _whole(row["snapshot"])
        known = _Known(ledger.initial(key) if state is None else state, version, version, row if version else None)
        latest = None if row is None else _whole(row["version"])
        while known.version != latest:
            page = await self._page(id_, known.version, PAGE)
            for fact in page:
                known = _applied(ledger, id_, known, fact)
            if len(page) < PAGE:
                break
        if latest is not None and known.version < latest:
            raise EngineError(
                f"{id_} has {latest} facts, of which those above {known.version} are missing",
                hint="restore the table shoal.facts from a backup: facts are never deleted",
            )
        return known

    async def _page(self, id_: str, above: int, limit: int) -> Sequence[Row]:
        query = Query(where={"aggregate": id_}, above={"version": above}, order=("version",), limit=limit)
        return await self._session.find(_FACTS, query)

    def _expected(self, ledger: Ledger, id_: str, aggregate: object) -> _Known:
        """Find what the author decided on, and refuse a decision on anything else."""
        known = self._known.get(id_)
        if known is not None and known.state == aggregate:
            return known
        initial = ledger.initial(getattr(aggregate, ledger.mark.key))
        if known is None and aggregate == initial:
            return _Known(initial, 0, 0, None)
        raise ShoalError(
            f"{id_} is not as this transaction {'left' if known else 'loaded'} it",
            hint="append to what tx.load or the last tx.append returned",
            where=ledger.mark.source,
        )

    def _keep(self, ledger: Ledger, id_: str, known: _Known) -> _Known:
        """Write the aggregate's row, with a new snapshot where one is due."""
        row = known.row
        if row is None or known.version - known.snapshot >= ledger.mark.snapshot_every:
            row = {"id": id_, "shape": ledger.mark.shape, "state": codec.encode(known.state).decode()}
            known = msgspec.structs.replace(known, snapshot=known.version)
        row = {**row, "version": known.version, "snapshot": known.snapshot}
        self._session.put(_AGGREGATES, row)
        return msgspec.structs.replace(known, row=row)


def _applied(ledger: Ledger, id_: str, known: _Known, row: Row) -> _Known:
    version = _whole(row["version"])
    if version != known.version + 1:
        raise EngineError(
            f"{id_} has a fact {version} after {known.version}",
            hint="restore the table shoal.facts from a backup: facts are never deleted",
        )
    return msgspec.structs.replace(known, state=known.state.apply(ledger.fact(row)), version=version)


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise EngineError(f"{value!r} is no version")
    return value
