"""Records as the collector would hand them over, and a file that has them."""

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from shoal.dashboard.store.reading import Database, database
from shoal.dashboard.store.records import KINDS, Log, Record, Resource, Span
from shoal.dashboard.store.writer import Writer

NOON = 1_800_000_000_000_000
"""Microseconds since 1970."""

_numbers = itertools.count(1)


def resource(service: str, replica: int = 0) -> Resource:
    return Resource(service, f"{service}-{replica}", f'{{"service.name": "{service}"}}')


def span(service: str, name: str, trace: int, *, number: int = 0, parent: int = 0, **how: Any) -> Span:
    """Tell of a span; `at` and `took` are milliseconds, the first from noon on."""
    return Span(
        resource(service),
        trace.to_bytes(16, "big"),
        number or next(_numbers) + 1000,
        parent,
        name,
        KINDS.index(how.get("kind", "server")),
        NOON + round(how.get("at", 0.0) * 1000),
        round(how.get("took", 1.0) * 1000),
        2 if how.get("failed") else 0,
        how.get("message", ""),
        how.get("attributes", {}),
        how.get("events", []),
        how.get("links", []),
    )


def log(service: str, message: str, *, trace: int = 0, severity: int = 9, at: float = 0.0) -> Log:
    told = trace.to_bytes(16, "big") if trace else b""
    return Log(resource(service), NOON + round(at * 1000), severity, message, told, 0, {"n": 1})


def written(file: Path, *batches: Iterable[Record], **how: Any) -> Database:
    """Write each batch by itself, and open what became of it."""
    writer = Writer(file, **how)
    for batch in batches:
        assert writer.put(list(batch))
        assert writer.flush()
    writer.close()
    return database(file)
