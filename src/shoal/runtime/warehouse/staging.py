"""Facts wait in the service's own store until they are in the warehouse: the outbox of a warehouse.

They commit with the transaction that appended them, and with the inbox mark of the event that it handled. The loader
notes in the store which of them make up the next batch before it appends them, so that whoever comes after it, whatever
it died of, appends the same facts under the same id. The warehouse notes that id in the transaction of the facts, and
takes only a batch that names the latest one as its predecessor: when the store or the warehouse comes back from an
older copy, nothing is taken for a repetition that is none. What was appended is removed from the store in as many
transactions as that takes; the first of them makes the batch its own predecessor, so that no rest of it is ever taken.

While one version takes over from another, one of them loads what both stage. It leaves facts that it does not know.
"""

import datetime as dt
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum
from typing import Any, cast
from uuid import uuid4

import msgspec

from shoal.drivers.base import FactBatch, FactTable, OwnTable, Query, Row, Session, Store
from shoal.errors import Undeclared, Unstorable
from shoal.runtime.portions import Portion
from shoal.runtime.recording import place
from shoal.runtime.transaction import UnitOfWork
from shoal.runtime.warehouse.shapes import table_of

STAGED = OwnTable(
    name="warehouse_facts",
    key="id",
    columns=(("id", "text"), ("fact_table", "text"), ("fact", "bytes"), ("trace", "text")),
)
"""Facts that are not in the warehouse yet; each as a JSON object, with the place in a trace of who appended it."""

LOADS = OwnTable(
    name="warehouse_loads",
    key="name",
    columns=(("name", "text"), ("source", "text"), ("batch", "text"), ("after", "text"), ("facts", "json")),
)
"""One row: the latest batch, the one before, and the ids of its facts while they may not be in the warehouse yet.

A batch that is its own predecessor is in the warehouse, and its facts are on their way out of the store.
"""

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
        fact_row = {"id": uuid4().hex, "fact_table": table.name, "fact": msgspec.json.encode(row), "trace": place()}
        unit.session.put(STAGED.table, fact_row)
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
    traces: tuple[str, ...] = ()
    """Places of those that appended its facts."""
    strange: bool = False
    """Whether another version decided on it, with facts that this one does not know: only its id is right."""


async def decide(
    store: Store,
    tables: Sequence[FactTable],
    tell: Callable[[str], None],
    *,
    most: int = LARGEST,
    without: Collection[str] = (),
) -> Load | None:
    """Return the batch that may not be in the warehouse yet, or decide on the next one; None when nothing waits.

    Facts whose table or column is not among `tables` belong to another version, the next or the one before: they are
    left where they are, and `tell` is called with what is not known. So are those whose ids are in `without`.
    """
    shapes = {table.name: frozenset(column.name for column in table.columns) for table in tables}
    async with store.session() as session:
        row = await session.get(LOADS.table, _ONLY, lock=True)
        if row is not None and (ids := _ids(row)):
            facts = list(map(_fact, await session.find(STAGED.table, Query(where={"id": ids}))))
            return _load(row, facts, tables, strange=any(_unknown(fact, shapes) for fact in facts))
        facts = (await _known(session, shapes, tell, without))[:most]
        if not facts:
            return None
        row = _next(row, tuple(fact.id for fact in facts))
        session.put(LOADS.table, row)
    return _load(row, facts, tables)


async def forgo(store: Store, load: Load) -> None:
    """Take back the decision on a batch that is not in the warehouse; its facts wait for the next decisions."""
    async with store.session() as session:
        row = await session.get(LOADS.table, _ONLY, lock=True)
        if row is not None and row["batch"] == load.batch.id:
            session.put(LOADS.table, {**row, "batch": row["after"], "facts": "[]"})


async def settle(store: Store, load: Load, portion: Portion) -> None:
    """Let go of the facts of a batch that is in the warehouse, as many at a time as one transaction takes."""
    while await portion.take(lambda most: _settle(store, load, most)):
        pass


async def _settle(store: Store, load: Load, most: int) -> bool:
    """Let go of some; say whether there are more."""
    async with store.session() as session:
        row = await session.get(LOADS.table, _ONLY, lock=True)
        ids = _ids(row)
        if row is None or row["batch"] != load.batch.id or not ids:
            return False
        for id in ids[:most]:
            session.delete(STAGED.table, id)
        session.put(LOADS.table, {**row, "after": load.batch.id, "facts": _listed(ids[most:])})
    return len(ids) > most


async def waiting(store: Store) -> int:
    """Count the facts that may not be in the warehouse yet."""
    async with store.session() as session:
        return await session.count(STAGED.table, {})


class _Fact(msgspec.Struct, frozen=True):
    id: str
    table: str
    values: dict[str, Any]
    trace: str = ""


def _fact(row: Row) -> _Fact:
    values = msgspec.json.decode(cast("bytes", row["fact"]))
    return _Fact(str(row["id"]), str(row["fact_table"]), values, str(row.get("trace") or ""))


async def _known(
    session: Session, shapes: Mapping[str, frozenset[str]], tell: Callable[[str], None], without: Collection[str]
) -> list[_Fact]:
    """Find facts that can be loaded, past those that cannot, however many these are."""
    facts: list[_Fact] = []
    query = Query(limit=LARGEST)
    while True:
        page = list(map(_fact, await session.find(STAGED.table, query)))
        for fact in page:
            if what := _unknown(fact, shapes):
                tell(what)
            elif fact.id not in without:
                facts.append(fact)
        if len(page) < LARGEST or len(facts) >= LARGEST:
            return facts[:LARGEST]
        query = Query(above={"id": page[-1].id}, limit=LARGEST)


def _unknown(fact: _Fact, shapes: Mapping[str, frozenset[str]]) -> str:
    """Name what of a fact is not declared; empty when all is."""
    columns = shapes.get(fact.table)
    if columns is None:
        return f"table {fact.table}"
    further = sorted(fact.values.keys() - columns)
    return f"column {further[0]} of {fact.table}" if further else ""


def _ids(row: Row | None) -> tuple[str, ...]:
    return tuple(msgspec.json.decode(str(row["facts"]), type=list[str])) if row is not None else ()


def _next(row: Row | None, ids: tuple[str, ...]) -> dict[str, object]:
    """Name the next batch; the chain has a name, too, so that a store made anew begins another one."""
    before = {"name": _ONLY, "source": uuid4().hex, "batch": ""} if row is None else row
    return {**before, "after": before["batch"], "batch": uuid4().hex, "facts": _listed(ids)}


def _listed(ids: Sequence[str]) -> str:
    return msgspec.json.encode(ids).decode()


def _load(row: Row, facts: Sequence[_Fact], tables: Sequence[FactTable], *, strange: bool = False) -> Load:
    columns = () if strange else _columns(facts, {table.name: table for table in tables})
    batch = FactBatch(source=str(row["source"]), id=str(row["batch"]), after=str(row["after"]), facts=columns)
    traces = tuple(dict.fromkeys(fact.trace for fact in facts if fact.trace))
    return Load(batch=batch, ids=_ids(row), traces=traces, strange=strange)


def _columns(
    facts: Sequence[_Fact], tables: dict[str, FactTable]
) -> tuple[tuple[str, tuple[Sequence[object], ...]], ...]:
    """Turn facts into columns; those that were not declared yet are null."""
    some: dict[str, list[dict[str, Any]]] = {}
    for fact in facts:
        some.setdefault(fact.table, []).append(fact.values)
    return tuple(
        (name, tuple([_read(each.get(column.name), column.kind) for each in values] for column in tables[name].columns))
        for name, values in sorted(some.items())
    )


def _plain(value: object) -> object:
    """Refuse, where the author sees it, what the warehouse could not hold."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, int) and not _LEAST <= value <= _MOST:
        raise Unstorable(f"{value} does not fit into 64 bits", hint="keep it as a text")
    if isinstance(value, float) and not math.isfinite(value):
        raise Unstorable(f"{value} is no number that adds up", hint="append None where nothing was measured")
    if isinstance(value, str) and "\0" in value:
        raise Unstorable("a text with a NUL cannot be kept as a fact", hint="take it out")
    if isinstance(value, dt.datetime) and value.tzinfo is None:
        raise Unstorable(f"the time {value} has no zone", hint="use the Clock, or datetime.now(UTC)")
    return value.astimezone(dt.UTC) if isinstance(value, dt.datetime) else value


def _read(value: Any, kind: str) -> object:
    if value is None or kind not in ("time", "date"):
        return value
    return msgspec.convert(value, dt.datetime if kind == "time" else dt.date)
