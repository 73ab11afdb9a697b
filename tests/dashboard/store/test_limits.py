"""A file stays within its size, whatever fills it."""

from pathlib import Path

import pytest

from shoal.dashboard.store import writer
from shoal.dashboard.store.reading import TraceQuery, database, edges, traces
from shoal.dashboard.store.records import Point, Record
from shoal.dashboard.store.writer import Writer
from shoal.dashboard.store.writing import limits
from tests.dashboard.telling import NOON, resource, span

LARGEST = 400_000


@pytest.fixture(autouse=True)
def _looks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_LOOK_EVERY", 0.0)


def _values(first: int) -> list[Record]:
    return [
        Point(resource("a"), f"m{series}", "", "gauge", True, "{}", NOON + at * 10**6, float(at))
        for at in range(first, first + 100)
        for series in range(30)
    ]


def test_traces_are_left_where_metrics_fill_the_file(tmp_path: Path) -> None:
    busy = Writer(tmp_path / "run-000001.db", largest=LARGEST)
    assert busy.put([span("a", "x", n + 1, at=n) for n in range(200)])
    for n in range(20):
        assert busy.put(_values(n * 100))
        assert busy.flush()
    for n in range(10):
        assert busy.put([span("a", "x", 1000 + n, at=1000 + n)])
        assert busy.flush()
    assert limits.size(busy._connection) < LARGEST
    busy.close()
    with database(busy.file) as found:
        assert len(traces(found, TraceQuery(limit=1000)).items) > 150
        assert found.one("SELECT max(at) FROM points") == (NOON + 1999 * 10**6,)


def test_a_call_still_waits_for_who_answered_when_the_oldest_goes(tmp_path: Path) -> None:
    busy = Writer(tmp_path / "run-000001.db", largest=1)
    assert busy.put([span("web", "GET", 1, number=7, kind="client", attributes={"server.address": "10.0.0.1"})])
    assert busy.flush()
    assert busy.put([span("orders", "GET", 1, number=8, parent=7)])
    assert busy.flush()
    busy.close()
    with database(busy.file) as found:
        assert [(way.source, way.target) for way in edges(found).items] == [("web", "orders")]
