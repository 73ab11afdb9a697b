"""The arithmetic that benchmarks are believed by."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.statistics import Estimate, Target, estimate, palindrome, ratios

MEASUREMENTS = st.lists(st.floats(min_value=0.01, max_value=100.0), min_size=1, max_size=15)


def generator(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - measurements, not secrets


def interval(low: float, median: float, high: float) -> Estimate:
    return Estimate(median=median, low=low, high=high)


@settings(max_examples=20)
@given(MEASUREMENTS)
def test_an_interval_holds_its_median_and_lies_among_the_values(values: list[float]) -> None:
    found = estimate(values)
    assert min(values) <= found.low <= found.median <= found.high <= max(values)


def test_equal_values_leave_no_doubt() -> None:
    assert estimate([2.0] * 11) == interval(2.0, 2.0, 2.0)


def test_the_same_values_give_the_same_interval() -> None:
    values = [1.0, 1.2, 0.9, 1.1, 1.05]
    assert estimate(values) == estimate(values)


def test_one_wild_round_does_not_move_the_median() -> None:
    assert estimate([1.0] * 10 + [50.0]).high == 1.0


def test_more_rounds_narrow_the_interval() -> None:
    draw = generator(7)
    few, many = ([draw.gauss(1.0, 0.1) for _ in range(n)] for n in (11, 101))
    narrow, wide = estimate(many), estimate(few)
    assert narrow.high - narrow.low < wide.high - wide.low


def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    draw = generator(11)
    held = 0
    for _ in range(40):
        found = estimate([draw.gauss(1.0, 0.2) for _ in range(15)])
        held += found.low <= 1.0 <= found.high
    assert held >= 35


def test_nothing_measured_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        estimate([])


@pytest.mark.parametrize(
    ("low", "high", "resolved"),
    [(0.95, 1.05, True), (0.91, 1.09, True), (0.89, 1.0, False), (1.0, 1.11, False)],
)
def test_an_interval_wider_than_a_tenth_is_unresolved(low: float, high: float, resolved: bool) -> None:
    found = interval(low, 1.0, high)
    assert found.resolved is resolved
    assert ("unresolved" in str(found)) is not resolved


@pytest.mark.parametrize(
    ("low", "high", "better", "verdict"),
    [
        (0.61, 0.70, "higher", "met"),
        (0.60, 0.70, "higher", "met"),
        (0.50, 0.59, "higher", "missed"),
        (0.55, 0.65, "higher", "unresolved"),
        (0.50, 0.59, "lower", "met"),
        (0.61, 0.70, "lower", "missed"),
        (0.55, 0.65, "lower", "unresolved"),
    ],
)
def test_a_verdict_needs_the_whole_interval_on_one_side(low: float, high: float, better: str, verdict: str) -> None:
    target = Target(bound=0.6, better="lower" if better == "lower" else "higher")
    assert target.verdict(interval(low, (low + high) / 2, high)) == verdict


def test_two_take_turns_as_abba_and_baab() -> None:
    assert palindrome("AB", 0) == tuple("ABBA")
    assert palindrome("AB", 1) == tuple("BAAB")


@given(st.integers(min_value=1, max_value=6), st.integers(min_value=0, max_value=50))
def test_a_round_reads_the_same_backwards_and_runs_everybody_twice(size: int, turn: int) -> None:
    names = [str(n) for n in range(size)]
    found = palindrome(names, turn)
    assert found == found[::-1]
    assert Counter(found) == dict.fromkeys(names, 2)


def test_a_steady_drift_cancels_out() -> None:
    times: dict[str, float] = dict.fromkeys("ABC", 0.0)
    for moment, name in enumerate(palindrome("ABC", 1)):
        times[name] += 10.0 + moment  # everybody does the same work while the machine slows down
    assert len(set(times.values())) == 1


def test_ratios_are_taken_round_by_round() -> None:
    assert ratios([2.0, 9.0], [1.0, 3.0]) == (2.0, 3.0)
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0], [1.0, 2.0])
