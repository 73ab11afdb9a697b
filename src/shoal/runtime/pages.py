"""Pages of documents by a declared index: a page begins behind the last document of the one before. Pure."""

import binascii
import typing
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shoal.drivers.base import Query, Row
from shoal.errors import Problem, Undeclared
from shoal.runtime.tables import RecordTable, plain
from shoal.service import codec
from shoal.service.marks import field_names

LARGEST = 1000
"""Documents of one page."""


class Search:
    """What is looked for, and in which order.

    Raises:
        Undeclared: No declared index serves it.
    """

    def __init__(self, mapping: RecordTable[Any], where: Mapping[str, object], order: str, limit: int) -> None:
        self._mapping, self._where = mapping, mapping.where(where)
        self._column, self._descends = order.removeprefix("-"), order.startswith("-")
        self._key = mapping.table.key
        if self._column == self._key and not self._descends:
            self._column = ""
        if not 1 <= limit <= LARGEST:
            raise Undeclared(f"a page of {limit} documents", hint=f"ask for 1 to {LARGEST}")
        self._limit = limit
        self._require_index()

    def queries(self, after: str) -> Sequence[Query]:
        """Say what to ask for, one behind the other, until the page is full."""
        order = ("-" if self._descends else "") + self._column
        by = (order,) if order else ()
        if not after:
            return [Query(where=self._where, order=by)]
        *values, key = self._place(after)
        if not values:
            return [Query(where=self._where, above={self._key: key})]
        behind = {self._column: values[0]}
        same = Query(where={**self._where, **behind}, above={self._key: key})
        if values[0] is None:  # null comes behind all values, and nothing is more or less than it
            return [same, Query(where=self._where, order=by)] if self._descends else [same]
        if self._descends:
            return [same, Query(where=self._where, below=behind, order=by)]
        return [same, Query(where=self._where, above=behind, order=by), *self._nulls]

    def passed(self, after: str) -> Mapping[str, object] | None:
        """Say which documents the last of `queries` begins with, although earlier pages had them; None for none."""
        passed = self._descends and bool(after) and self._column and self._place(after)[0] is None
        return {**self._where, self._column: None} if passed else None

    @property
    def _nulls(self) -> Sequence[Query]:
        hint = typing.get_type_hints(self._mapping.kind)[self._column]
        return [Query(where={**self._where, self._column: None})] if type(None) in typing.get_args(hint) else []

    def page(self, query: Query, have: int) -> Query | None:
        """Ask for what is lacking, and one more, which tells whether there is another page."""
        lacking = self._limit + 1 - have
        return msgspec.structs.replace(query, limit=lacking) if lacking > 0 else None

    def cursor(self, row: Row) -> str:
        """Name the place of a row, for `queries`."""
        columns = [self._column, self._key] if self._column else [self._key]
        return urlsafe_b64encode(codec.encode([row[column] for column in columns])).decode().rstrip("=")

    def _place(self, after: str) -> list[Any]:
        columns = [self._column, self._key] if self._column else [self._key]
        hints = typing.get_type_hints(self._mapping.kind, include_extras=True)
        try:
            found = msgspec.json.decode(urlsafe_b64decode(after + "=" * (-len(after) % 4)), type=list[Any])
            if len(found) == len(columns):
                pairs = zip(columns, found, strict=True)
                return [plain(codec.from_plain(value, hints[name], strict=False)) for name, value in pairs]
        except (binascii.Error, UnicodeError, ValueError, msgspec.MsgspecError, codec.Malformed):
            pass
        raise Problem(400, "malformed-query", "this page does not exist: begin with the first one")

    def _require_index(self) -> None:
        table = self._mapping.table
        columns = (self._column,) if self._column else ()
        self._require_fields((*self._where, *columns))
        hashes = {column.name: column.find for column in table.personal if column.find}
        asked = frozenset(hashes.get(name, name) for name in self._where)
        indexes = [*table.indexes, (self._key,), *((column,) for column in table.unique)]
        for index in indexes:
            if asked == frozenset(index[: len(asked)]) and index[len(asked) : len(asked) + len(columns)] == columns:
                return
        wanted = (*sorted(self._where), *columns)
        raise Undeclared(
            f"{self._mapping.kind.__name__} is searched by {' and '.join(sorted(self._where)) or 'nothing'}"
            + (f", in the order of {self._column}" if columns else "")
            + ", for which it declares no index",
            hint=f'declare it: @record("{table.name}", key="{table.key}", indexes=[{wanted!r}])',
        )

    def _require_fields(self, names: Sequence[str]) -> None:
        known = field_names(self._mapping.kind)
        for name in names:
            if name not in known:
                raise Undeclared(
                    f"{self._mapping.kind.__name__} is searched by {name}, which it does not have",
                    hint=f"its fields are: {', '.join(known)}",
                )
