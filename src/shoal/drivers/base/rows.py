"""Rows, tables and queries: the shape of what a store holds."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

Row = Mapping[str, object]
"""One stored record by column. Columns listed in `Table.json` hold JSON text, the others plain Python values."""

ColumnKind = Literal["text", "integer", "number", "boolean", "time", "json", "bytes"]


class PersonalColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column that holds ciphertext of what it says of a person. Drivers know nothing of it."""

    name: str
    of: str
    """Column that names the person."""
    find: str
    """Column of a keyed hash of the value; empty without one."""
    spelled: Callable[[Any], Any] | None
    """Spells equal values in one way before they are hashed."""
    erased: Any
    """What is read once the person is erased."""
    place: str
    """What a ciphertext is bound to, besides the service and the key."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Where records of one type live."""

    name: str
    key: str
    """Column of the primary key."""
    columns: tuple[str, ...]
    json: frozenset[str] = frozenset()
    """Columns that hold JSON text."""
    unique: frozenset[str] = frozenset()
    """Columns besides the key that no two rows share; ``null`` is shared freely."""
    indexes: tuple[tuple[str, ...], ...] = ()
    """Columns of each index, in order, which a store makes that makes the table's place by itself."""
    personal: tuple[PersonalColumn, ...] = ()
    """Columns that are sealed above the driver."""
    moves: bool = False
    """Whether a twin may take its place; stores that let it stand elsewhere from then on look where it is."""


class OwnTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the framework's own, which the store makes by itself: no author migrates it.

    A later version may add columns and indexes, never change or drop one.
    """

    name: str
    """Its name; a store keeps it apart from the author's tables."""
    key: str
    columns: tuple[tuple[str, ColumnKind], ...]
    """Name and kind; all but the key may be null."""
    indexes: tuple[tuple[str, ...], ...] = ()
    """Columns of each index, in order."""
    kept_until: str = ""
    """Column that says until when a row must stay as it was written; engines that can see to it do."""

    @property
    def table(self) -> Table:
        """The table as sessions use it."""
        return Table(
            name=f"shoal.{self.name}",
            key=self.key,
            columns=tuple(name for name, _ in self.columns),
            json=frozenset(name for name, kind in self.columns if kind == "json"),
        )


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows, in which order."""

    where: Mapping[str, object] = {}
    """Column → value it must equal; a tuple or list means any of its items; ``None`` means null."""
    above: Mapping[str, object] = {}
    """Column → value it must exceed."""
    at_most: Mapping[str, object] = {}
    """Column → value it must not exceed."""
    below: Mapping[str, object] = {}
    """Column → value it must be less than."""
    order: tuple[str, ...] = ()
    """Columns; a leading ``-`` means descending. The key is always the last tie-breaker."""
    limit: int | None = None
    offset: int = 0
    lock: bool = False
    """Hold the rows against other transactions until this one ends; taken in key order to avoid deadlock."""
    skip_locked: bool = False
    """With `lock`: leave out rows that others hold instead of waiting for them."""
