"""Where everything lies in the one table of a service. Pure.

A partition of DynamoDB carries a thousand writes a second, so the rows of a table are spread over several. Rows of the
outbox lie apart by what is still to be done with them, so that who asks for those that wait reads no others.
"""

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shoal.drivers.base import Query, Row, Table
from shoal.drivers.base.documents.tables import OUTBOX
from shoal.drivers.dynamodb.values import Value, ticks
from shoal.errors import Unstorable

SHARDS = 4
"""Partitions that the rows of one table are spread over. What is written stays where it is, so this is for ever."""

WAITING, REFUSED, DONE = "w", "r", "d"
_SECTIONS = {WAITING: SHARDS, REFUSED: 1, DONE: SHARDS}
_LONGEST = 900
"""Bytes of a sort key (DynamoDB has 1,024) beyond which it is a digest."""

_WIDTH = 39


class Place(NamedTuple):
    """The two keys of an item."""

    partition: str
    sort: str

    @property
    def key(self) -> dict[str, Value]:
        """The keys as the interface writes them."""
        return {"p": {"S": self.partition}, "s": {"S": self.sort}}


def name(key: object) -> str:
    """Write a key as text: another one for each, and whole numbers in their order."""
    if isinstance(key, (str, UUID)):
        text = f"s{key}"
    elif isinstance(key, bool):
        text = f"o{key:d}"
    elif isinstance(key, int):
        text = f"i{'-' if key < 0 else '0'}{key if key >= 0 else key + 10**_WIDTH:0{_WIDTH}d}"
    elif isinstance(key, datetime):
        text = f"t{ticks(key)}"
    elif isinstance(key, bytes):
        text = f"y{key.hex()}"
    elif isinstance(key, float):
        text = f"f{key!r}"
    else:
        raise Unstorable(f"a {type(key).__name__} is no key of a document", hint="use text")
    return _short(text)


def _short(text: str) -> str:
    try:
        written = text.encode()
    except UnicodeEncodeError as error:
        raise Unstorable(f"a key that is no Unicode: {error.reason}", hint="use other text") from error
    return text if len(written) <= _LONGEST else f"h{hashlib.sha256(written).hexdigest()}"


def section(table: Table, row: Row) -> str:
    """Say which section of its table a row lies in."""
    if table.name != OUTBOX.name:
        return ""
    if row.get("waits"):
        return WAITING
    return DONE if row.get("refused") is None else REFUSED


def meant(table: Table, query: Query) -> Sequence[str]:
    """Say in which sections what a query means can be."""
    if table.name != OUTBOX.name:
        return ("",)
    waits = query.where.get("waits", ...)
    if waits is True:
        return (WAITING,)
    if "refused" in query.above:
        return (REFUSED,)  # what waits is not refused, or no longer
    if waits is False and query.where.get("refused", ...) is None:
        return (DONE,)
    return tuple(_SECTIONS)


def sections(table: Table) -> Sequence[str]:
    """List the sections of a table."""
    return tuple(_SECTIONS) if table.name == OUTBOX.name else ("",)


def place(table: Table, key: object, where: str) -> Place:
    """Say where a row lies, or would."""
    sort, shards = name(key), _SECTIONS.get(where, SHARDS)
    shard = key % shards if isinstance(key, int) else zlib.crc32(sort.encode()) % shards
    return Place(_partition(table, where, shard), sort)


def partitions(table: Table, where: str) -> Iterator[str]:
    """List the partitions of a section."""
    return (_partition(table, where, shard) for shard in range(_SECTIONS.get(where, SHARDS)))


def guard(table: Table, column: str, value: object) -> Place:
    """Say where it is noted whose a unique value is."""
    return Place(f"u#{table.name}#{column}", name(value))


def counter(which: str) -> Place:
    """Say where a counter is."""
    return Place(f"n#{which}", "-")


def life(owner: str) -> Place:
    """Say where the beat of an owner of locks is."""
    return Place(f"h#{owner}", "-")


def lock(which: str) -> Place:
    """Say where a lock is: those whose names differ behind the first line only lie together."""
    group, line, rest = which.partition("\n")
    return Place(group_of(group), _short(f"={rest}") if line else "-")


def group_of(first: str) -> str:
    """Name the partition of the locks with this first line."""
    return f"l#{_short(first)}"


def _partition(table: Table, where: str, shard: int) -> str:
    return f"r#{table.name}#{where}#{shard}"
