"""Logs into their table."""

import sqlite3
from collections.abc import Iterable

import msgspec

from shoal.dashboard.store.records import Log
from shoal.dashboard.store.writing.names import Names

_encode = msgspec.json.Encoder().encode


def write_logs(connection: sqlite3.Connection, names: Names, logs: Iterable[Log]) -> None:
    """Write logs."""
    rows = [
        (
            log.at,
            names.resource(log.resource),
            log.severity,
            log.message,
            log.trace or None,
            log.span,
            _encode(log.attributes),
        )
        for log in logs
    ]
    connection.executemany("INSERT INTO logs VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", rows)
