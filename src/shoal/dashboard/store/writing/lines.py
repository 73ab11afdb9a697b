"""Logs and values of metrics into their tables."""

import sqlite3
from collections.abc import Iterable

import msgspec

from shoal.dashboard.store.records import Log, Point
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


def write_points(connection: sqlite3.Connection, names: Names, points: Iterable[Point]) -> None:
    """Write values of metrics; one of the same series and time replaces the other."""
    rows = []
    for point in points:
        resource = names.resource(point.resource)
        series = names.series(resource, point.name, point.unit, point.kind, int(point.cumulative), point.attributes)
        rows.append((series, point.at, point.value, _encode(point.histogram) if point.histogram else None))
    connection.executemany("REPLACE INTO points VALUES (?, ?, ?, ?)", rows)
