"""Facts wait in the service's own store until they are in the warehouse: the outbox of a warehouse.

They commit with the transaction that appended them, and with the inbox mark of the event that it handled. The loader
notes in the store which of them make up the next batch before it appends them, so that whoever comes after it, whatever
it died of, appends the same facts under the same id. The warehouse notes that id in the transaction of the facts, and
takes only a batch that names the latest one as its predecessor: when the store or the warehouse comes back from an
older copy, nothing is taken for a repetition that is none.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, cast
from uuid import uuid4

import msgspec

from shoal.drivers.base import FactBatch, FactTable, OwnTable, Query, Row, Store
from shoal.errors import Undeclared, Unstorable
from shoal.runtime.transaction import UnitOfWork
from shoal.runtime.warehouse.shapes import table_of

STAGED = OwnTable(name="warehouse_facts", key="id", columns=(("id", "text"), ("fact_table", "text"), ("fact", "bytes")))
"""Facts that are not in the warehouse yet; each as a JSON object."""

LOADS = OwnTable(
    name="warehouse_loads",
    key="name",
    columns=(("name", "text"), ("source", "text"), ("batch", "text"), ("after", "text"), ("facts", "json")),
)
"""One row: the latest batch, the one before, and the ids of its facts while they may not be in the warehouse yet."""

LARGEST = 2000
"""Facts of one batch."""

_ONLY = "loads"
_MOST, _LEAST = 2**63 - 1, -(2**63)


class Stager:
    """What `shoal.Warehouse` is made of, for each transaction."""

    def __init__(self, service: str, kinds: Sequence[type], stir: Callable[[], None]) -> None:
        self._service, self._stir = service, stir
        self._tables = {kind: table_of(kind) for kind in kinds}

    def within(self, unit: UnitOfWork) -> "Staged":
        """Take facts within a transaction."""
        return Staged(self, unit)

    def stage(self, unit: UnitOfWork, fact: object) -> None:
        """Write a fact beside whatever else the transaction does."""
        table = self._tables.get(type(fact))
        if table is None:
            raise Undeclared(
                f"service {self._service} appends {type(fact).__name__}, which is no table of its warehouse",
                hint=f"declare it: DuckDB(tables=[..., {type(fact).__name__}])",
            )
        row = {column.name: _plain(getattr(fact, column.name)) for column in table.columns}
        unit.session.put(STAGED.table, {"id": uuid4().hex, "fact_table": table.name, "fact": msgspec.json.encode(row)})
        unit.then(self._stir)


class Staged:
    """Implements `shoal.Warehouse`."""

    __slots__ = ("_stager", "_unit")

    def __init__(self, stager: Stager, unit: UnitOfWork) -> None:
        self._stager, self._unit = stager, unit

    def append(self, fact: object) -> None:
        """Append a fact."""
        self._stager.stage(self._unit, fact)


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that is decided on, and which rows of the store it takes up."""

    batch: FactBatch
    ids: tuple[str, ...]


async def decide(store: Store, tables: Sequence[FactTable]) -> Load | None:
    """Return the batch that may not be in the warehouse yet, or decide on the next one; None when nothing waits."""
    async with store.session() as session:
        row = await session.get(LOADS.table, _ONLY, lock=True)
        ids = _ids(row)
        found = await session.find(STAGED.table, _wanted(ids))
        if not found:
            return None
        if row is None or not ids:
            row = _next(row, tuple(str(each["id"]) for each in found))
            session.put(LOADS.table, row)
    facts = _columns(found, {table.name: table for table in tables})
    batch = FactBatch(source=str(row["source"]), id=str(row["batch"]), after=str(row["after"]), facts=facts)
    return Load(batch=batch, ids=_ids(row))


async def settle(store: Store, load: Load) -> None:
    """Let go of the facts of a batch that is in the warehouse."""
    async with store.session() as session:
        row = await session.get(LOADS.table, _ONLY, lock=True)
        if row is None or row["batch"] != load.batch.id or not _ids(row):
            return
        for id in load.ids:
            session.delete(STAGED.table, id)
        session.put(LOADS.table, {**row, "facts": "[]"})


async def waiting(store: Store) -> int:
    """Count the facts that may not be in the warehouse yet."""
    async with store.session() as session:
        return await session.count(STAGED.table, {})


def _wanted(ids: tuple[str, ...]) -> Query:
    return Query(where={"id": ids}) if ids else Query(limit=LARGEST)


def _ids(row: Row | None) -> tuple[str, ...]:
    return tuple(msgspec.json.decode(str(row["facts"]), type=list[str])) if row is not None else ()


def _next(row: Row | None, ids: tuple[str, ...]) -> dict[str, object]:
    """Name the next batch; the chain has a name, too, so that a store made anew begins another one."""
    before = {"name": _ONLY, "source": uuid4().hex, "batch": ""} if row is None else row
    return {**before, "after": before["batch"], "batch": uuid4().hex, "facts": msgspec.json.encode(ids).decode()}


def _columns(rows: Sequence[Row], tables: dict[str, FactTable]) -> tuple[tuple[str, tuple[Sequence[object], ...]], ...]:
    """Turn facts into columns. Tables that are declared no more are left out, columns that were not yet are null."""
    facts: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        facts.setdefault(str(row["fact_table"]), []).append(msgspec.json.decode(cast("bytes", row["fact"])))
    return tuple(
        (name, tuple([_read(fact.get(column.name), column.kind) for fact in some] for column in tables[name].columns))
        for name, some in sorted(facts.items())
        if name in tables
    )


def _plain(value: object) -> object:
    """Refuse, where the author sees it, what the warehouse could not hold."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, int) and not _LEAST <= value <= _MOST:
        raise Unstorable(f"{value} does not fit into 64 bits", hint="keep it as a text")
    if isinstance(value, str) and "\0" in value:
        raise Unstorable("a text with a NUL cannot be kept as a fact", hint="take it out")
    if isinstance(value, dt.datetime) and value.tzinfo is None:
        raise Unstorable(f"the time {value} has no zone", hint="use the Clock, or datetime.now(UTC)")
    return value.astimezone(dt.UTC) if isinstance(value, dt.datetime) else value


def _read(value: Any, kind: str) -> object:
    if value is None or kind not in ("time", "date"):
        return value
    return msgspec.convert(value, dt.datetime if kind == "time" else dt.date)
