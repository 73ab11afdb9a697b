"""Writes to one document as a single one, for engines that change each document once in a commit. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from shoal.drivers.base import Row, Table
from shoal.drivers.base.documents.engine import Write


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is to become of one document."""

    table: Table
    key: object
    row: Row | None
    whole: bool
    """Whether `row` has every column; else it changes those that it has, of a document that must be there."""
    insert: bool = False
    version: str = ""


def fold(writes: Iterable[Write], name: Callable[[object], str]) -> list[Intent]:
    """Make of several writes to one document a single one.

    Args:
        writes: In order.
        name: Spells a key, so that equal ones are spelled alike.
    """
    intents: dict[tuple[str, str], Intent] = {}
    for write in writes:
        at = (write.table.name, name(write.key))
        whole, row, before = write.how != "change", write.row, intents.get(at)
        if before is None:
            insert = write.how == "insert" and row is not None
            fresh = Intent(table=write.table, key=write.key, row=row, whole=whole, insert=insert, version=write.version)
        else:
            if row is not None and not whole:
                row, whole = {**(before.row or {}), **row}, before.whole
            fresh = replace(before, row=row, whole=whole, version=before.version or write.version)
        intents[at] = fresh
    return [*intents.values()]
