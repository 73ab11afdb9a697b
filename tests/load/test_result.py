"""Results survive their files, can be bounded, and be compared."""

import math
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.errors import ShoalError
from shoal.load.compare import compare
from shoal.load.histogram import Times, read
from shoal.load.recorder import Series
from shoal.load.result import Latency, Result, Row, exceeded, from_json, to_json


def row(name: str, milliseconds: float, *, refused: int = 0) -> Row:
    series = Series()
    series.due = 100
    series.succeeded, series.refused["503"] = 100 - refused, refused
    for _ in range(100 - refused):
        series.corrected.record(milliseconds / 1e3)
    return series.row(name, 10.0, 10.0)


def result(milliseconds: float, *, refused: int = 0, doubts: tuple[str, ...] = ()) -> Result:
    return Result(
        load="x", target="y", began="", seconds=10, elapsed=10, rate=10, ramp=0, seed=1, doubts=doubts, notes=(),
        lateness=Latency(), total=row("all", milliseconds, refused=refused), journeys=(), ends={},
        operations=(row("a.b", milliseconds),), problems=(),
    )  # fmt: skip


@settings(max_examples=25, deadline=None)  # the machine may be busy
@given(st.lists(st.floats(1e-6, 500), min_size=1, max_size=200))
def test_percentiles_are_true_to_three_digits_and_survive_the_file(times: list[float]) -> None:
    counted = Times()
    for seconds in times:
        counted.record(seconds)
    times.sort()
    for percentile in (50, 99, 100):
        exact = times[max(0, math.ceil(len(times) * percentile / 100) - 1)] * 1e3
        assert counted.at(percentile)[0] == pytest.approx(exact, rel=0.002, abs=0.002)
    latency = counted.latency()
    assert read(latency).latency() == latency


def test_what_was_counted_apart_is_added_up() -> None:
    random, parts = Random(1), [Times(), Times()]
    whole = Times()
    for _ in range(500):
        seconds = random.lognormvariate(-4, 1)
        random.choice(parts).record(seconds)
        whole.record(seconds)
    parts[0].add(parts[1])
    assert parts[0].latency() == whole.latency()


def test_a_result_survives_its_file() -> None:
    found = result(5)
    assert from_json(to_json(found), "a.json") == found
    for text in (b"{}", b"\xff", to_json(msgspec.structs.replace(found, version=2))):
        with pytest.raises(ShoalError, match=r"a\.json"):
            from_json(text, "a.json")


def test_bounds_are_on_what_visitors_felt() -> None:
    assert exceeded(result(5, refused=2), p99=0.1, errors=0.02) == ()
    assert exceeded(result(5, refused=2), p99=math.inf, errors=None) == ()
    slow, refused = exceeded(result(500, refused=2), p99=0.1, errors=0.01)
    assert "above 100 ms" in slow
    assert refused.startswith("2.00%")
    (nothing,) = exceeded(result(5, refused=100), p99=0.1, errors=None)
    assert nothing.startswith("no request succeeded")


def test_two_runs_are_compared() -> None:
    found = compare(result(10), result(20, refused=10, doubts=("late",)))
    assert [point.latency.change for point in found.curve] == pytest.approx([1.0] * 7, rel=0.01)
    every, one = found.rows
    assert (every.name, one.name) == ("all", "a.b")
    assert (every.errors.before, every.errors.after) == (0, 0.1)
    assert one.p99.change == pytest.approx(1, rel=0.01)
    assert found.unlike == ("the second is not valid: late",)
    added = compare(msgspec.structs.replace(result(10), operations=()), result(20))
    assert added.rows[1].p50.change is None
