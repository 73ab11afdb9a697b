"""DuckDB's library, called from threads: the only file that imports it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from shoal.drivers.base import FactBatch, FactTable, ReportQuery, Row, check_columns
from shoal.drivers.base.facts import gap, other_kind, prepared
from shoal.drivers.duckdb import sql
from shoal.errors import EngineError, Unavailable

SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,  # nothing is fetched, and
    "autoload_known_extensions": False,
    "enable_external_access": False,  # no SQL of ours reads or writes another file
    "memory_limit": "1GiB",  # instead of four fifths of the machine; what needs more is written beside the file
}


class Client:
    """One open file. Each call is a transaction of its own; several may run at a time, one of which writes."""

    def __init__(self, path: str) -> None:
        self._path = path
        _private(path)
        with _translated(f"{path} cannot be opened"):
            self._connection = duckdb.connect(path, config=SETTINGS)
            self._connection.execute(sql.MAKE_BATCHES)
        self._tables: dict[str, FactTable] = {}

    def close(self) -> None:
        """Write what lies beside the file into it, and let go of it."""
        with _translated(f"{self._path} cannot be closed"):
            self._connection.close()

    def prepare(self, tables: Sequence[FactTable]) -> None:
        """Make and widen tables, all or none."""
        with self._transaction() as cursor:
            for table in tables:
                _prepare(cursor, table)
        self._tables |= {table.name: table for table in tables}

    def append(self, batch: FactBatch) -> bool:
        """Append a batch and note its id in one transaction."""
        with self._transaction() as cursor:
            latest = _latest(cursor, batch.source)
            if batch.id == latest:
                return False
            if batch.after != latest:
                raise gap(batch, latest)
            for name, columns in batch.facts:
                table = prepared(self._tables, name)
                check_columns(table, columns)
                cursor.execute(sql.append(table), sql.parameters(columns))
            cursor.execute(sql.NOTE, [batch.source, batch.id])
        return True

    def latest(self, source: str) -> str:
        """Read the id of the latest batch."""
        with self._transaction() as cursor:
            return _latest(cursor, source)

    def cursor(self) -> Any:
        """Make what one report runs on, by which another thread can interrupt it."""
        with _translated(f"the warehouse {self._path} refused"):
            return self._connection.cursor()

    def interrupt(self, cursor: Any) -> None:
        """End what runs on a cursor, if anything does."""
        with suppress(duckdb.Error):
            cursor.interrupt()

    def report(self, query: ReportQuery, cursor: Any) -> Sequence[Row]:
        """Ask on a cursor, which ends with it, and say of every time that it is in UTC."""
        prepared(self._tables, query.table.name)
        text, values = sql.select(query)
        names = [*(group.name for group in query.groups), *(measure.name for measure in query.measures)]
        with self._transaction(cursor) as asking:
            found = asking.execute(text, values).fetchall()
        return [{name: _aware(value) for name, value in zip(names, row, strict=True)} for row in found]

    def forget(self, table: FactTable, before: datetime) -> int:
        """Remove old facts."""
        text, values = sql.forget(prepared(self._tables, table.name), before)
        with self._transaction() as cursor:
            gone = cursor.execute(text, values).fetchone()
        return int(gone[0]) if gone else 0

    @contextmanager
    def _transaction(self, cursor: Any = None) -> Iterator[Any]:
        with _translated(f"the warehouse {self._path} refused"):
            cursor = cursor or self._connection.cursor()
            try:
                cursor.execute("begin transaction")
                yield cursor
                cursor.execute("commit")
            finally:
                cursor.close()  # rolls back what is open


def _private(path: str) -> None:
    """Make the folder of the file, which only this user may enter."""
    try:
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EngineError(f"cannot make the folder of {path}: {error.strerror}") from error


def _prepare(cursor: Any, table: FactTable) -> None:
    present = dict(cursor.execute(sql.PRESENT, [table.name]).fetchall())
    if not present:
        cursor.execute(sql.make(table))
        return
    for column in table.columns:
        found = present.get(column.name)
        if found is None:
            cursor.execute(sql.widen(table, column.name, column.kind))
        elif found != sql.TYPES[column.kind]:
            raise other_kind(table, column.name, found, sql.TYPES[column.kind])


def _latest(cursor: Any, source: str) -> str:
    found = cursor.execute(sql.LATEST, [source]).fetchone()
    return str(found[0]) if found else ""


def _aware(value: object) -> object:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except duckdb.IOException as error:
        hint = "one process at a time has the file; is another replica or a tool at work on it?"
        raise Unavailable(f"{what}: {error}", hint=hint) from error
    except duckdb.InterruptException as error:
        raise Unavailable(f"{what}: {error}", hint="the service ends, or nobody waits for it any more") from error
    except duckdb.Error as error:
        raise EngineError(f"{what}: {error}") from error
