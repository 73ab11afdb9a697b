"""A run's file, open for reading. Threads may share it: they take turns."""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from shoal.dashboard.store import schema
from shoal.errors import ShoalError

LARGEST_PAGE = 1000
"""Items of one answer."""


class Unanswerable(ShoalError):
    """A question to the store that has no meaning, such as a cursor that it never gave."""


class Database:
    """Make it with `database`, and close it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._turn = threading.Lock()

    def ask(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows; raises `Damaged` when the file cannot be read."""
        with self._turn:
            try:
                return self._connection.execute(sql, values).fetchall()
            except sqlite3.DatabaseError as error:
                raise schema.Damaged(f"cannot read the telemetry: {error}", hint="see `shoal runs list`") from error

    def one(self, sql: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
        """Return the first row."""
        return next(iter(self.ask(sql, values)), None)

    def close(self) -> None:
        """Close the file."""
        with self._turn:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def database(file: Path) -> Database:
    """Open a run's file for reading; raises `Damaged` for what is none."""
    return Database(schema.opened(file))


def nothing() -> Database:
    """Open a run in which nothing happened: what is answered before anything is recorded."""
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.executescript(schema.TABLES)
    return Database(connection)


def page(limit: int) -> int:
    """Bound how much is asked for at once."""
    return max(1, min(limit, LARGEST_PAGE))


def numbers(text: str, count: int) -> list[int] | None:
    """Read so many numbers with a dash between them, each one that SQLite can hold; None when it is anything else."""
    parts = text.split("-")
    if len(parts) != count or not all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts):
        return None
    found = [int(part) for part in parts]
    return found if max(found) < 1 << 63 else None


def micro(milliseconds: float) -> int:
    """Turn milliseconds into what the file has, within what SQLite can hold."""
    return round(max(-9e15, min(9e15, milliseconds)) * 1000)


def places(count: int) -> str:
    """Write so many placeholders."""
    return ", ".join("?" * count)


def escaped(text: str) -> str:
    """Write a text for ``LIKE ? ESCAPE '!'``, to be found anywhere."""
    for letter in "!%_":
        text = text.replace(letter, f"!{letter}")
    return f"%{text}%"
