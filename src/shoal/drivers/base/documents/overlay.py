"""What a transaction has changed so far, laid over what is committed. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from shoal.drivers.base import Mark, Message, Query, Receipt, Row, Table, matching
from shoal.drivers.base.documents import tables
from shoal.drivers.base.documents.engine import Document, How, Refused, Write
from shoal.drivers.base.documents.places import Swap
from shoal.errors import Conflict, Contended, Duplicate, EngineError


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What one document is to be."""

    table: Table
    row: Row | None
    new: bool
    """Whether none may be there before."""


@dataclass(slots=True)
class Overlay:
    """Changes by table and key, and what else commits with them."""

    changes: dict[str, dict[object, Change]] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    marks: dict[Mark, None] = field(default_factory=dict)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    versions: dict[tuple[str, object], str] = field(default_factory=dict)
    """Of documents that were read under a lock, or that must not have changed since somebody read them."""
    expected: frozenset[str] = frozenset()
    """Tables in which a document must have the version that somebody read."""
    locks: frozenset[str] = frozenset()
    swaps: dict[str, Swap] = field(default_factory=dict)
    """By the names of the tables."""
    doubtful: list[tuple[Table, object]] = field(default_factory=list)
    """Documents of which nobody has looked yet whether the engine contradicts them."""

    def copy(self) -> "Overlay":
        """Keep it as it is now."""
        changes = {name: dict(rows) for name, rows in self.changes.items()}
        return Overlay(
            changes, [*self.messages], dict(self.marks), dict(self.receipts), dict(self.versions),
            self.expected, self.locks, dict(self.swaps), [*self.doubtful],
        )  # fmt: skip

    @property
    def empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not (self.changes or self.messages or self.marks or self.receipts or self.swaps)

    def put(self, table: Table, row: Row) -> None:
        """Replace or make a document."""
        self._change(table, _key(table, row), whole(table, row), new=False)

    def insert(self, table: Table, row: Row) -> None:
        """Make a document; `Conflict` when this transaction has one already."""
        key = _key(table, row)
        before = self.changes.get(table.name, {}).get(key)
        if before is not None and before.row is not None:
            raise taken(table)
        self._change(table, key, whole(table, row), new=before is None)

    def delete(self, table: Table, key: object) -> None:
        """Remove a document."""
        self._change(table, matching.identity(key), None, new=False)

    def replace(self, swap: Swap) -> None:
        """Let a twin take the place of a table; what was to become of its documents is no matter any more."""
        self.changes.pop(swap.table.name, None)
        self.swaps[swap.table.name] = swap

    def expect(self, table: Table, key: object, version: str) -> None:
        """Demand that a document has this version at the commit; `Conflict` when it is known to differ."""
        if self.versions.setdefault((table.name, key), version) != version:
            raise changed(table.name)
        self.expected |= {table.name}

    def accept(self, mark: Mark) -> None:
        """Note a mark; `Duplicate` when this transaction has it already."""
        if mark in self.marks:
            raise repeated_mark()
        self.marks[mark] = None
        self.doubtful.append((tables.INBOX, tables.place(mark)))

    def answer(self, receipt: Receipt) -> None:
        """Note an answer; `Duplicate` when this transaction has one."""
        if receipt.key in self.receipts:
            raise repeated_answer()
        self.receipts[receipt.key] = receipt
        self.doubtful.append((tables.RECEIPTS, receipt.key))

    def publish(self, message: Message) -> None:
        """Note a message."""
        self.messages.append(message)

    def of(self, table: Table) -> Mapping[object, Change]:
        """Return the changes of a table."""
        return self.changes.get(table.name, {})

    def arrange(self, table: Table, query: Query, found: Sequence[Document]) -> list[Row]:
        """Say what a query means, given what `wider` found of what is committed."""
        changes = self.of(table)
        rows = [whole(table, one.row) for one in found if matching.identity(one.key) not in changes]
        rows += [c.row for c in changes.values() if c.row is not None and matching.matches(c.row, query)]
        return matching.arrange(table, query, rows)

    def wider(self, table: Table, query: Query) -> Query:
        """Ask the engine for enough to fill a page, whatever the changes hide."""
        limit = None if query.limit is None else query.offset + query.limit + len(self.of(table))
        return msgspec.structs.replace(query, limit=limit, offset=0, lock=False, skip_locked=False)

    def _change(self, table: Table, key: object, row: Row | None, *, new: bool) -> None:
        changes = self.changes.setdefault(table.name, {})
        before = changes.get(key)
        new = new or (before is not None and before.new)
        changes[key] = Change(table=table, row=row, new=new)
        self.doubtful.append((table, key))

    def writes(self, at: datetime) -> Iterator[Write]:
        """List all but messages, so that a repetition shows first and no unique value is held twice."""
        for mark in self.marks:
            key = tables.place(mark)
            yield Write(table=tables.INBOX, key=key, row={"mark": key, "at": mark.at}, how="insert")
        for receipt in self.receipts.values():
            row = tables.answered(receipt, at)
            yield Write(table=tables.RECEIPTS, key=receipt.key, row=row, how="insert")
        for changes in self.changes.values():
            yield from self._rows(changes)

    def entries(self, first: int, at: datetime) -> list[Write]:
        """List the messages' rows of the outbox, from a first position on."""
        rows = [(position, tables.entry(position, one, at)) for position, one in enumerate(self.messages, first)]
        return [Write(table=tables.OUTBOX, key=position, row=row, how="insert") for position, row in rows]

    def _rows(self, changes: Mapping[object, Change]) -> Iterator[Write]:
        """First what goes, then what gives up its unique values, then what is made and takes them."""
        kept = {key: change for key, change in changes.items() if change.row is not None}
        for key, change in changes.items():
            if change.row is None:
                yield Write(table=change.table, key=key, row=None, version=self._version(change, key))
        replaced = [key for key, change in kept.items() if change.table.unique and not change.new]
        swapping = len(kept) > 1 and bool(replaced)
        for key in replaced if swapping else ():
            table = kept[key].table
            nothing: Row = dict.fromkeys(table.unique)
            yield Write(table=table, key=key, row=nothing, how="change", version=self._version(kept[key], key))
        for key, change in kept.items():
            version = "" if swapping and key in replaced else self._version(change, key)
            how: How = "insert" if change.new else "put"
            yield Write(table=change.table, key=key, row=change.row, how=how, version=version)

    def error(self, refused: Refused) -> EngineError:
        """Say what it means that the engine refused a write."""
        if refused.held == "version":
            if refused.table in self.expected:
                return changed(refused.table)
            return Contended(f"a row of table {refused.table} changed under its lock", hint="try the whole again")
        table = next((change.table for change in self.changes.get(refused.table, {}).values()), None)
        return contradiction(refused.table, table, refused.column if refused.held == "unique" else "")

    def _version(self, change: Change, key: object) -> str:
        return self.versions.get((change.table.name, key), "")


def whole(table: Table, row: Row) -> Row:
    """Give a row every column, also those that its table got after it was written."""
    return {column: row.get(column) for column in table.columns}


def taken(table: Table) -> Conflict:
    """Say that a key is taken."""
    return Conflict(f"a row of table {table.name} with this key exists: unique constraint {table.key}")


def shared(table: Table, column: str) -> Conflict:
    """Say that a unique value is taken."""
    return Conflict(f"a row of table {table.name} has this {column}: unique constraint {column}")


def changed(table: str) -> Conflict:
    """Say that a document is no longer as somebody read it."""
    return Conflict(f"a document of {table} has another version than was read", hint="read it again, and decide anew")


def repeated_mark() -> Duplicate:
    """Say that a message was handled before."""
    return Duplicate("this message was already handled")


def repeated_answer() -> Duplicate:
    """Say that a command was answered before."""
    return Duplicate("this key already has an answer")


def _key(table: Table, row: Row) -> object:
    matching.require(table, row)
    key = matching.identity(row.get(table.key))
    if key is None:
        raise EngineError(f"a row of table {table.name} has no {table.key}", hint="choose its key yourself")
    return copy(key)


def place(table: Table, key: object) -> str:
    """Name the lock of a row."""
    return f"row {table.name} {key!r}"


def contradiction(name: str, table: Table | None, column: str = "") -> Conflict:
    """Say what the engine holds that contradicts a write to the table of this name."""
    if name == tables.INBOX.name:
        return repeated_mark()
    if name == tables.RECEIPTS.name:
        return repeated_answer()
    return (
        shared(table or Table(name=name, key="", columns=()), column)
        if column
        else taken(table or Table(name=name, key="its key", columns=()))
    )
