"""Keeps a file within its size: the oldest spans and logs go first, a part at a time; roll-ups stay."""

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
    """Remove the oldest part of traces, with their spans and marks, of logs, and of metrics when they are many."""
    until = _share(connection, "traces")
    connection.execute("DELETE FROM spans WHERE trace <= ?", (until,))
    connection.execute("DELETE FROM marks WHERE trace <= ?", (until,))
    connection.execute("DELETE FROM traces WHERE n <= ?", (until,))
    connection.execute("DELETE FROM logs WHERE n <= ?", (_share(connection, "logs"),))
    if connection.execute("SELECT count(*) FROM points").fetchone()[0] > _POINTS_KEPT:
        first, last = connection.execute("SELECT min(at), max(at) FROM points").fetchone()
        for table in ("points", "exemplars"):
            connection.execute(f"DELETE FROM {table} WHERE at < ?", (first + (last - first) // SHARE,))  # noqa: S608 - ours


def _share(connection: sqlite3.Connection, table: str) -> int:
    first, last = connection.execute(f"SELECT coalesce(min(n), 0), coalesce(max(n), 0) FROM {table}").fetchone()  # noqa: S608
    return int(first + (last - first) // SHARE)
