"""Exponential histograms: what they say of values is within the bound that their scale promises, merged or not."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.telemetry.histogram import COARSEST, FINEST, MOST, Histogram

numbers = st.floats(min_value=0.0, allow_nan=False, allow_infinity=False)
durations = st.floats(min_value=1e-6, max_value=3600.0)


def counted(values: Sequence[float], scale: int = FINEST) -> Histogram:
    made = Histogram(scale)
    for value in values:
        made.record(value)
    return made


def state(found: Histogram) -> tuple[object, ...]:
    return found.scale, found.buckets, found.count, found.zeros, found.least, found.largest


@given(st.lists(numbers, max_size=200))
def test_every_value_is_in_the_bucket_that_its_bounds_name(values: list[float]) -> None:
    found = counted(values)
    assert found.count == len(values) == found.zeros + sum(found.buckets.values())
    expected: dict[int, int] = {}
    for value in (v for v in values if v):
        index = math.ceil(math.log2(value) * 2.0**found.scale) - 1
        expected[index] = expected.get(index, 0) + 1
    assert found.buckets == expected
    assert not expected or max(expected) - min(expected) < MOST
    assert found.scale >= COARSEST


@pytest.mark.parametrize(("octaves", "scale"), [(MOST, 0), (MOST + 1, -1)])
def test_the_scale_falls_with_one_bucket_too_many(octaves: int, scale: int) -> None:
    found = counted([2.0**power for power in range(octaves)], 0)
    assert (found.scale, sum(found.buckets.values())) == (scale, octaves)


@given(st.integers(-1074, 1023), st.integers(-4, FINEST))
def test_a_power_of_two_ends_its_bucket(power: int, scale: int) -> None:
    found = counted([2.0**power], scale)
    (index,) = found.buckets
    width = 2.0**-scale
    assert index * width < power <= (index + 1) * width


@given(st.lists(durations, min_size=1, max_size=300), st.floats(0, 1))
def test_a_quantile_errs_by_less_than_the_width_of_its_bucket(values: list[float], share: float) -> None:
    found = counted(values)
    true = sorted(values)[max(1, math.ceil(share * len(values))) - 1]
    base = 2**2.0**-found.scale
    assert abs(found.quantile(share) - true) <= true * ((base - 1) / (base + 1) + 1e-9)


def test_what_takes_milliseconds_to_seconds_is_known_to_five_percent() -> None:
    found = counted([0.001 * 1.01**step for step in range(900)])  # up to 7.7 s
    base = 2**2.0**-found.scale
    assert (base - 1) / (base + 1) < 0.05


@given(st.lists(numbers, max_size=100), st.lists(numbers, max_size=100))
def test_merged_histograms_are_that_of_all_values(left: list[float], right: list[float]) -> None:
    merged, theirs = counted(left), counted(right)
    merged.merge(theirs)
    assert state(merged) == state(counted([*left, *right]))
    assert state(theirs) == state(counted(right))
    assert math.isclose(merged.sum, sum(left) + sum(right), rel_tol=1e-9)


@given(st.lists(durations, max_size=100), st.lists(durations, max_size=100), durations)
def test_a_merged_histogram_goes_on_counting(left: list[float], right: list[float], last: float) -> None:
    merged = counted(left)
    merged.merge(counted(right))
    merged.record(last)
    assert state(merged) == state(counted([*left, *right, last]))


@given(st.lists(durations, max_size=100), st.integers(0, 12))
def test_a_lower_scale_is_what_counting_with_it_gives(values: list[float], steps: int) -> None:
    found = counted(values)
    lower = max(COARSEST, found.scale - steps)
    found.rescale(lower)
    assert state(found) == state(counted(values, lower))


@pytest.mark.parametrize("scale", [FINEST + 1, COARSEST - 1])
def test_a_scale_that_cannot_be_had_is_refused(scale: int) -> None:
    with pytest.raises(ValueError, match=f"cannot have scale {scale}"):
        counted([1.0]).rescale(scale)


@given(st.lists(durations, max_size=100), st.lists(st.integers(-12, 12), unique=True).map(sorted))
def test_counts_below_powers_of_two_are_exact(values: list[float], powers: list[int]) -> None:
    bounds = [2.0**power for power in powers]
    assert counted(values).below(bounds) == [sum(value <= bound for value in values) for bound in bounds]


@given(st.lists(durations, min_size=1, max_size=50), durations)
def test_counts_below_other_bounds_miss_no_more_than_one_bucket(values: list[float], bound: float) -> None:
    found = counted(values)
    base = 2**2.0**-found.scale
    (count,) = found.below([bound])
    assert (
        sum(value <= bound / base * (1 - 1e-9) for value in values) <= count <= sum(value <= bound for value in values)
    )


@given(st.lists(durations, min_size=1, max_size=50))
def test_the_latest_trace_of_each_power_of_two_is_kept(values: list[float]) -> None:
    found = Histogram()
    for position, value in enumerate(values):
        found.record(value, f"{position:032x}")
    latest = {math.ceil(math.log2(value)) - 1: (value, f"{position:032x}") for position, value in enumerate(values)}
    assert {power: (each.value, each.trace_id) for power, each in found.exemplars.items()} == latest


@pytest.mark.parametrize("value", [-1.0, math.inf, -math.inf, math.nan])
def test_what_is_no_duration_is_left_out(value: float) -> None:
    assert state(counted([value])) == state(Histogram())


def test_an_empty_one_says_nothing() -> None:
    assert (Histogram().quantile(0.5), Histogram().dense(), Histogram().below([1.0])) == (0.0, (0, []), [0])
