"""Roll-ups: any range has its counts and quantiles, old ones too, and long after the spans are gone."""

import sqlite3
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.dashboard.store import histogram, schema
from shoal.dashboard.store.reading import SeriesQuery, database, edges, operations, series
from shoal.dashboard.store.records import Span
from shoal.dashboard.store.writer import Writer
from shoal.dashboard.store.writing.cells import FOLDED_AFTER, Cells
from tests.dashboard.telling import NOON, span, written

MS = NOON / 1000
durations = st.lists(st.integers(1, 600_000_000), min_size=1, max_size=200)


@given(durations, st.sampled_from([0.01, 0.5, 0.9, 0.99, 1.0]))
def test_a_quantile_is_at_most_three_percent_off(took: list[int], share: float) -> None:
    counts = histogram.merged({histogram.bucket(one): 1} for one in took)
    exact = sorted(took)[max(0, -int(-share * len(took) // 1) - 1)] / 1000
    assert abs(histogram.quantile(counts, share) - exact) <= exact * 0.03 + 0.0005


@given(st.dictionaries(st.integers(0, 400), st.integers(1, 10**9)))
def test_a_histogram_survives_being_written(counts: dict[int, int]) -> None:
    assert histogram.unpacked(histogram.packed(counts)) == counts


def test_operations_have_rate_errors_and_durations_of_those_that_failed_apart(tmp_path: Path) -> None:
    good = [span("orders", "POST /orders", n + 1, at=n * 100, took=10) for n in range(90)]
    bad = [span("orders", "POST /orders", n + 500, at=n * 100, took=0.1, failed=True) for n in range(10)]
    found = operations(written(tmp_path / "run-000001.db", good, bad))
    (one,) = found.items
    assert (one.count, one.errors, one.rate) == (100, 10, 10.0)  # in ten seconds
    assert (one.service, one.name, one.kind) == ("orders", "POST /orders", "server")
    assert abs(one.p50 - 10) < 0.3
    assert one.error_p99 < 0.11
    assert (found.since, found.until) == (MS, MS + 10_000)


def test_a_range_leaves_out_what_is_not_in_it(tmp_path: Path) -> None:
    file = written(tmp_path / "run-000001.db", [span("a", "x", n + 1, at=n * 10_000) for n in range(6)])
    assert sum(one.count for one in operations(file, since=MS + 20_000, until=MS + 40_000).items) == 2
    assert operations(file, since=MS + 999_000).items == []
    assert operations(file, service="b").items == []


def test_clocks_that_are_wrong_do_not_make_a_range_endless(tmp_path: Path) -> None:
    now = time.time() * 1000 - MS  # from noon on
    told = [span("a", "x", n + 1, at=now - 30_000 + n * 10_000) for n in range(3)]
    never_set = told[0]._replace(trace=b"\1" * 16, started=0, took=5)
    ahead = told[0]._replace(trace=b"\2" * 16, started=told[0].started + 10**6 * 86400 * 365)
    file = written(tmp_path / "run-000001.db", [*told, never_set, ahead])
    (one,) = operations(file).items
    assert one.count == 3
    assert one.rate == pytest.approx(0.1)
    assert len(series(file, SeriesQuery(step=10)).times) <= 4


def test_a_series_has_a_value_for_each_step(tmp_path: Path) -> None:
    file = written(
        tmp_path / "run-000001.db",
        [span("a", "x", n + 1, at=n * 1000, took=5, failed=n == 25) for n in (*range(10), *range(20, 30))],
    )
    found = series(file, SeriesQuery(service="a", operation="x", step=10))
    assert found.times == [MS, MS + 10_000, MS + 20_000]
    assert (found.rate, found.errors) == ([1.0, 0.0, 1.0], [0.0, 0.0, 0.1])
    assert found.p50[1] is None
    assert found.p99_errors[:2] == [None, None]
    assert found.p99_errors[2] is not None
    assert found.p50_errors[:2] == [None, None]
    assert found.p50_errors[2] is not None
    assert found.p50_errors[2] <= found.p99_errors[2]


def test_ways_are_seen_from_single_spans(tmp_path: Path) -> None:
    told = [
        span("gateway", "POST /orders", 1, attributes={"shoal.upstream": "orders"}),
        span("orders", "GET /prices", 1, kind="client", failed=True,
             attributes={"http.request.method": "GET", "peer.service": "products", "server.address": "10.0.0.1"}),
        span("orders", "INSERT orders", 1, kind="client", attributes={"db.system.name": "postgresql"}),
        span("orders", "send orders.placed.v1", 1, kind="producer",
             attributes={"messaging.destination.name": "orders.placed.v1"}),
        span("payments", "process orders.placed.v1", 1, kind="consumer",
             attributes={"messaging.destination.name": "orders.placed.v1"}),
        span("payments", "step", 1, kind="internal"),
    ]  # fmt: skip
    found = {(one.source, one.target, one.kind): one for one in edges(written(tmp_path / "run-000001.db", told)).items}
    assert set(found) == {
        ("gateway", "orders", "call"),
        ("orders", "products", "call"),
        ("orders", "orders/postgresql", "store"),
        ("orders", "orders.placed.v1", "event"),
        ("orders.placed.v1", "payments", "event"),
    }
    assert found["orders", "products", "call"].errors == 1


CALL = span("shop", "POST", 1, number=1, kind="client", took=9, attributes={"server.address": "10.0.0.7"})
ANSWER = span("till", "POST /pay", 1, number=2, parent=1, took=5)


@pytest.mark.parametrize("batches", [[[CALL, ANSWER]], [[ANSWER, CALL]], [[CALL], [ANSWER]], [[ANSWER], [CALL]]])
def test_a_call_that_names_no_service_goes_to_who_answered(tmp_path: Path, batches: list[list[Span]]) -> None:
    (one,) = edges(written(tmp_path / "run-000001.db", *batches)).items
    assert (one.source, one.target, one.kind, one.name, one.count) == ("shop", "till", "call", "POST", 1)
    assert one.p50 == pytest.approx(9, rel=0.03)


def test_a_call_that_nobody_answers_goes_to_its_address(tmp_path: Path) -> None:
    inner = span("till", "work", 1, parent=2, kind="server", took=1)  # in the same service
    attempt = span("shop", "attempt 1", 1, kind="client", attributes={"server.address": "10.0.0.8"})
    nameless = span("shop", "call", 1, kind="client")
    found = edges(written(tmp_path / "run-000001.db", [CALL, inner, attempt, nameless])).items
    assert [(one.source, one.target) for one in found] == [("shop", "10.0.0.7")]


def test_sums_go_on_after_the_writer_was_started_again(tmp_path: Path) -> None:
    file = tmp_path / "run-000001.db"
    for n in range(3):
        writer = Writer(file)
        writer.put([span("a", "x", n + 1, at=1)])
        writer.close()
    with database(file) as found:
        assert operations(found).items[0].count == 3


def test_what_is_sent_twice_is_counted_once(tmp_path: Path) -> None:
    batch = [span("a", "x", n + 1, number=n + 1) for n in range(5)]
    found = written(tmp_path / "run-000001.db", batch, batch, batch + batch)
    assert operations(found).items[0].count == 5
    assert found.one("SELECT count(*), sum(spans) FROM spans JOIN traces") is not None
    assert found.one("SELECT count(*) FROM spans") == (5,)
    assert found.one("SELECT sum(spans) FROM traces") == (5,)


@given(
    st.lists(st.tuples(st.integers(0, 2 * FOLDED_AFTER), st.integers(1, 10**7), st.booleans()), min_size=1, max_size=60)
)
def test_folding_old_cells_changes_no_sum(told: list[tuple[int, int, bool]]) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(schema.TABLES)
    cells = Cells(connection, "cells")
    base = NOON // 1_000_000 // 60 * 60
    for at, took, failed in told:
        cells.count(1, (base + at) * 1_000_000, took, failed=failed)
    cells.write()
    ask = "SELECT sum(count), sum(errors), sum(took) FROM cells"
    before = connection.execute(ask).fetchone(), _whole(connection, "good"), _whole(connection, "bad")
    cells.fold(base + 2 * FOLDED_AFTER)
    cells.count(1, (base + 5) * 1_000_000, 77, failed=False)  # which comes late
    cells.write()
    (count, errors, took), good, bad = before
    late = histogram.merged((good, {histogram.bucket(77): 1}))
    assert connection.execute(ask).fetchone() == (count + 1, errors, took + 77)
    assert (_whole(connection, "good"), _whole(connection, "bad")) == (late, bad)
    old = connection.execute("SELECT at FROM cells WHERE at < ?", (base + FOLDED_AFTER,)).fetchall()
    assert all(at % 60 == 0 for (at,) in old)
    connection.close()


def _whole(connection: sqlite3.Connection, column: str) -> histogram.Counts:
    rows = connection.execute(f"SELECT {column} FROM cells").fetchall()  # noqa: S608
    return histogram.merged(histogram.unpacked(text) for (text,) in rows)
