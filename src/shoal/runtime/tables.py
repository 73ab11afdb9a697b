"""Records as rows: one column per field, JSON text for nested values."""

import datetime as dt
import enum
import typing
import uuid
from collections.abc import Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any, Generic, Literal, TypeVar

import msgspec

from shoal.drivers.base import PersonalColumn, Row, Table
from shoal.errors import DeclarationError, EngineError
from shoal.service import codec
from shoal.service.marks import RecordMark, field_names, record_mark
from shoal.service.personal import PersonalField, personal_fields
from shoal.service.signature import base_kind

T = TypeVar("T")

_PLAIN = (str, int, float, bool, bytes, Decimal, uuid.UUID, dt.datetime, dt.date)


class RecordTable(Generic[T]):
    """How records of one type become rows and back."""

    def __init__(self, kind: type[T]) -> None:
        mark = record_mark(kind)
        hints = typing.get_type_hints(kind, include_extras=True)
        columns = field_names(kind)
        fields = personal_fields(kind, mark.key)
        sealed = {field.name for field in fields}
        nested = frozenset(name for name in columns if name not in sealed and not _fits_column(hints[name]))
        self.kind = kind
        self._names = columns
        ends = ((mark.expires,),) if mark.expires else ()
        self.table = Table(
            name=mark.table,
            key=mark.key,
            columns=(*columns, *(field.column for field in fields if field.find)),
            json=nested,
            unique=frozenset((*mark.unique, *(field.column for field in fields if field.unique))),
            indexes=_indexes(mark, fields) + ends,
            personal=tuple(_column(field, mark.table) for field in fields),
            moves=mark.projected,
        )
        self._fields = attrgetter(*columns) if len(columns) > 1 else lambda record: (getattr(record, columns[0]),)
        self._spelled = tuple(name for name in columns if name not in sealed and base_kind(hints[name]) not in _PLAIN)

    def to_row(self, record: object) -> Row:
        """Spread a record over its columns."""
        row = dict(zip(self._names, self._fields(record), strict=True))
        for name in self._spelled:
            value = row[name]
            row[name] = codec.encode(value).decode() if name in self.table.json else plain(value)
        return row

    def from_row(self, row: Row) -> T:
        """Read a record from its row; columns that it does not have are passed over."""
        nested = self.table.json
        values = {
            name: msgspec.json.decode(typing.cast("str", row[name]))
            if name in nested and row[name] is not None
            else row[name]
            for name in self._names
        }
        return read_stored(values, self.kind, f"table {self.table.name}")

    def where(self, where: typing.Mapping[str, object] | None) -> dict[str, object]:
        """Turn field values to compare with into column values."""
        return {
            name: tuple(plain(v) for v in value) if isinstance(value, tuple | list) else plain(value)
            for name, value in (where or {}).items()
        }


_tables: dict[type, RecordTable[Any]] = {}


def table_of(kind: type[T]) -> RecordTable[T]:
    """Return the mapping of a record type, made once."""
    found = _tables.get(kind)
    if found is None:
        found = _tables[kind] = RecordTable(kind)
    return found


def _indexes(mark: RecordMark, fields: Sequence[PersonalField]) -> tuple[tuple[str, ...], ...]:
    """Index hashes in the place of what is personal, and refuse what would say something of ciphertext alone."""
    hashes = {field.name: field.column for field in fields}
    asked = [name for index in mark.indexes for name in index if not hashes.get(name, name)]
    for name in (*asked, *(name for name in (*mark.unique, mark.expires) if name in hashes)):
        raise DeclarationError(
            f"the record of {mark.table} is unique, found or ended by {name}, which is personal: the store holds only "
            "ciphertext of it",
            hint="say so in its mark: personal(unique=True) or personal(find=True); an end is not personal",
            where=mark.source,
        )
    declared = tuple(tuple(hashes.get(name, name) for name in index) for index in mark.indexes)
    found = ((field.column,) for field in fields if field.find and not field.unique)
    return tuple(dict.fromkeys((*declared, *found)))


def _column(field: PersonalField, table: str) -> PersonalColumn:
    return PersonalColumn(
        name=field.name,
        of=field.of,
        find=field.column,
        spelled=field.spelled,
        erased=field.erased,
        place=f"{table}\n{field.name}",
    )


def read_stored(values: Row, kind: type[T], origin: str) -> T:
    """Read stored values as `kind`; `EngineError` for what does not fit: the caller of a request cannot help it."""
    try:
        return codec.from_plain(dict(values), kind, strict=False)
    except codec.Malformed as error:
        raise EngineError(
            f"a row of {origin} is no {kind.__name__}: {error}",
            hint="let the record's fields accept what is stored, or mend the rows in a migration",
        ) from error


def _fits_column(kind: Any) -> bool:
    """Tell whether a field has a column type of its own."""
    bare = base_kind(kind)
    origin = typing.get_origin(bare)
    if origin is Literal:
        return True
    if origin is not None:
        options = [a for a in typing.get_args(bare) if a is not type(None)]
        is_optional = type(None) in typing.get_args(bare)
        return is_optional and len(options) == 1 and _fits_column(options[0])
    return isinstance(bare, type) and issubclass(bare, (enum.Enum, *_PLAIN))


def plain(value: object) -> object:
    """Turn a field's value into that of its column."""
    return value.value if isinstance(value, enum.Enum) else value
