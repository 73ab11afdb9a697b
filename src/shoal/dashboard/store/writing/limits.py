"""Keeps a file within its size: the oldest spans and logs go first, a part at a time.

Roll-ups and values of metrics stay, unless it is they that fill the file.
"""

import sqlite3

SHARE = 8
"""One part of so many is removed at a time."""

_POINTS_KEPT = 500_000
"""Values of metrics are thinned out beyond this."""


def size(connection: sqlite3.Connection) -> int:
    """Return the bytes in use."""
    pages, free, each = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * each)


def shrink(connection: sqlite3.Connection) -> None:
    """Remove the oldest part of traces, with their spans and marks, of logs, and of metrics when they are many.

    Where all traces and logs have less than half of the file, the oldest part of all else goes instead: they would go
    part by part until none is left, and the file would be as large.
    """
    before = size(connection)
    connection.execute("SAVEPOINT traces")
    _remove_traces(connection)
    others = (before - size(connection)) * SHARE < before / 2
    if others:
        connection.execute("ROLLBACK TO traces")
    connection.execute("RELEASE traces")
    if others or _rows(connection, "points") > _POINTS_KEPT:
        _remove_oldest(connection, "points", "exemplars")
    if others:
        _remove_oldest(connection, "cells", "edge_cells")


def _remove_traces(connection: sqlite3.Connection) -> None:
    until = _share(connection, "traces")
    connection.execute("DELETE FROM spans WHERE trace <= ?", (until,))
    connection.execute("DELETE FROM marks WHERE trace <= ?", (until,))
    connection.execute("DELETE FROM traces WHERE n <= ?", (until,))
    connection.execute("DELETE FROM logs WHERE n <= ?", (_share(connection, "logs"),))


def _remove_oldest(connection: sqlite3.Connection, *tables: str) -> None:
    """Remove the oldest part of the rows, however far apart their times are."""
    for table in tables:
        at = f"SELECT at FROM {table} ORDER BY at LIMIT 1 OFFSET ?"  # noqa: S608 - ours
        connection.execute(f"DELETE FROM {table} WHERE at < ({at})", (_rows(connection, table) // SHARE,))  # noqa: S608


def _rows(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608


def _share(connection: sqlite3.Connection, table: str) -> int:
    first, last = connection.execute(f"SELECT coalesce(min(n), 0), coalesce(max(n), 0) FROM {table}").fetchone()  # noqa: S608
    return int(first + (last - first) // SHARE)
