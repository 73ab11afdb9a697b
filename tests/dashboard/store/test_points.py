"""Values of metrics: few rows for what does not change, and the same line through all that came."""

import itertools
import sqlite3
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from shoal.dashboard.store import schema
from shoal.dashboard.store.reading import MetricQuery, metric
from shoal.dashboard.store.records import Point
from shoal.dashboard.store.writing.names import Names
from shoal.dashboard.store.writing.points import KEPT_EVERY, Points
from tests.dashboard.telling import NOON, resource, written

SECOND = 1_000_000


def _point(value: float, at: int, *, kind: str = "gauge", cumulative: bool = True) -> Point:
    return Point(resource("orders"), "m", "s", kind, cumulative, "{}", NOON + at * SECOND, value)


def test_a_sum_is_shown_as_what_was_added_each_second_also_over_a_restart(tmp_path: Path) -> None:
    values = [10.0, 15.0, 15.0, 15.0, 25.0, 4.0]
    told = [_point(value, n * 5, kind="sum") for n, value in enumerate(values)]
    (found,) = metric(written(tmp_path / "run-000001.db", told), MetricQuery(name="m")).series
    assert found.times == [NOON / 1000 + n * 1000 for n in (5, 15, 20, 25)]
    assert found.values == [1.0, 0.0, 2.0, 0.8]
    assert found.total == 4.0


def test_a_series_that_begins_later_has_counted_from_zero(tmp_path: Path) -> None:
    calm = [_point(7.0, n * 5, kind="sum") for n in range(3)]
    fresh = [_point(float(n * 10), n * 5, kind="sum")._replace(attributes='{"error": "yes"}') for n in range(1, 3)]
    told = sorted([*calm, *fresh], key=lambda point: point.at)
    first, second = metric(written(tmp_path / "run-000001.db", told), MetricQuery(name="m")).series
    assert (first.values, first.total) == ([0.0], 7.0)  # its first and its last value are kept
    assert (second.values, second.total) == ([2.0, 2.0], 20.0)


def test_a_delta_is_never_left_out(tmp_path: Path) -> None:
    told = [_point(3.0, n * 5, kind="sum", cumulative=False) for n in range(4)]
    (found,) = metric(written(tmp_path / "run-000001.db", told), MetricQuery(name="m")).series
    assert (found.values, found.total) == ([0.6, 0.6, 0.6], 12.0)


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 2)), min_size=1, max_size=40))
def test_the_line_through_what_is_kept_goes_through_all_that_came(steps: list[tuple[int, int]]) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(schema.TABLES)
    points = Points(connection, Names(connection))
    came: list[tuple[int, float]] = []
    at = 0
    for step, value in steps:
        at += step
        came.append((NOON + at * SECOND, float(value)))
        points.write([_point(float(value), at)])
    points.finish()
    kept = connection.execute("SELECT at, value FROM points ORDER BY at").fetchall()
    connection.close()
    assert set(kept) <= set(came)
    assert (kept[0], kept[-1]) == (came[0], came[-1])
    for time, shown in came:
        before = max(one for one in kept if one[0] <= time)
        after = min(one for one in kept if one[0] >= time)
        assert before[1] == shown == after[1] or (before == after and before[1] == shown)
    assert all(b[0] - a[0] <= KEPT_EVERY + 30 * SECOND for a, b in itertools.pairwise(kept))
