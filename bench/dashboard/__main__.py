"""``python -m bench.dashboard [--spans 1000000]``: take spans, then search among them."""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.dashboard.messages import messages
from shoal.dashboard.collector import otlp
from shoal.dashboard.store.reading import (
    Database,
    SeriesQuery,
    TraceQuery,
    database,
    edges,
    operations,
    series,
    trace,
    traces,
)
from shoal.dashboard.store.writer import Writer

ROUNDS = 5
PORTION = 20
"""Messages that are made at a time, outside the measured time."""

WISHES: dict[str, TraceQuery] = {
    "the newest": TraceQuery(),
    "a service": TraceQuery(service="orders"),
    "an operation of a service": TraceQuery(service="products", operation="SELECT products"),
    "errors": TraceQuery(errors=True),
    "errors of a service, slow": TraceQuery(service="payments", errors=True, min_ms=50),
    "slow, of which there are few": TraceQuery(min_ms=58.9),
    "quick, of which there are none": TraceQuery(max_ms=0.001, service="orders"),
    "an attribute that one trace has": TraceQuery(attribute="order.id=77"),
    "an attribute that a thousandth has": TraceQuery(attribute="url.path=/orders/7", errors=True),
    "an attribute that all have": TraceQuery(attribute="http.route=/orders", service="inventory"),
    "a text that many names have": TraceQuery(text="orders"),
    "a text that nothing has": TraceQuery(text="no such thing"),
}


def take(file: Path, count: int) -> None:
    """Measure reading, and writing until all is committed; making the messages is left out."""
    writer = Writer(file, largest=1 << 40, say=print)
    busy = wall = 0.0
    portion: list[bytes] = []

    def push() -> None:
        nonlocal busy, wall
        began, started = time.process_time(), time.perf_counter()
        for body in portion:
            assert writer.put(otlp.read(otlp.TRACES, body, is_json=False).records)
        assert writer.flush(600)
        busy, wall = busy + time.process_time() - began, wall + time.perf_counter() - started
        portion.clear()

    for body in messages(count):
        portion.append(body)
        if len(portion) == PORTION:
            push()
    push()
    writer.close()
    print(f"{count} spans, {file.stat().st_size / count:.0f} bytes each")
    print(f"taken: {count / busy:,.0f} a second of one core, {count / wall:,.0f} a second by the clock")


def search(found: Database) -> None:
    """Measure how long each question takes: the median and the longest of some rounds."""
    newest = traces(found, TraceQuery(limit=1)).items[0]
    asked: dict[str, Callable[[], object]] = {
        **{name: lambda query=query: traces(found, query) for name, query in WISHES.items()},  # type: ignore[misc]
        "a minute": lambda: traces(found, TraceQuery(since=newest.started - 60_000, until=newest.started)),
        "one trace": lambda: trace(found, newest.trace_id),
        "all operations": lambda: operations(found),
        "a series": lambda: series(found, SeriesQuery()),
        "all edges": lambda: edges(found),
    }
    for name, ask in asked.items():
        times = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            ask()
            times.append((time.perf_counter() - began) * 1000)
        print(f"{name:<40} {statistics.median(times):8.1f} ms  {max(times):8.1f} ms at most")


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(prog="bench.dashboard", description=__doc__)
    parser.add_argument("--spans", type=int, default=1_000_000)
    spans = parser.parse_args().spans
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run-000001.db"
        take(file, spans)
        with database(file) as found:
            search(found)


if __name__ == "__main__":
    main()
