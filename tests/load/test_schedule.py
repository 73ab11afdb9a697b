"""When visitors arrive, and how long they think."""

import itertools
import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.errors import DeclarationError
from shoal.load import Journey, Load, Persona, Visitor, constant, exponential, lognormal, uniform
from shoal.load.schedule import arrivals, expected, moment
from shoal.load.think import LONGEST

RATES = st.floats(0.01, 10_000)
TIMES = st.floats(0, 3600)


@settings(deadline=None)  # the machine may be busy
@given(RATES, TIMES, st.floats(0, 1e6))
def test_the_moment_of_so_many_arrivals_is_where_so_many_are_expected(rate: float, ramp: float, count: float) -> None:
    assert expected(moment(count, rate, ramp), rate, ramp) == pytest.approx(count, abs=1e-6)


@settings(deadline=None)  # the machine may be busy
@given(RATES, TIMES, st.integers())
def test_visitors_arrive_one_after_the_other_and_as_the_seed_says(rate: float, ramp: float, seed: int) -> None:
    times = list(itertools.islice(arrivals(rate, ramp=ramp, random=Random(seed)), 50))
    assert times == sorted(times)
    assert times[0] >= 0
    assert times == list(itertools.islice(arrivals(rate, ramp=ramp, random=Random(seed)), 50))


def test_the_rate_is_reached_and_its_ramp_halves_what_comes_until_then() -> None:
    times = list(arrivals(100, ramp=10, seconds=60, random=Random(1)))
    assert len(times) == pytest.approx(5500, rel=0.05)
    assert sum(at < 10 for at in times) == pytest.approx(500, rel=0.15)
    assert sum(at < 5 for at in times) == pytest.approx(125, rel=0.3)
    gaps = [b - a for a, b in itertools.pairwise(at for at in times if at > 10)]
    mean = sum(gaps) / len(gaps)
    assert math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) == pytest.approx(mean, rel=0.1), "exponential"


@pytest.mark.parametrize(
    ("think", "median"),
    [(constant(2), 2), (uniform(1, 3), 2), (exponential(2), 2 * math.log(2)), (lognormal(2, 0.5), 2)],
)
def test_times_to_think_are_distributed_as_declared(think: object, median: float) -> None:
    random = Random(1)
    drawn = sorted(think.draw(random) for _ in range(4001))  # type: ignore[attr-defined]
    assert drawn[2000] == pytest.approx(median, rel=0.1)
    assert 0 <= drawn[0] <= drawn[-1] <= LONGEST


async def nothing(visitor: Visitor[None]) -> None:
    """Go at once."""


@pytest.mark.parametrize(
    "declare",
    [
        lambda: constant(-1),
        lambda: constant(math.nan),
        lambda: exponential(0),
        lambda: lognormal(0),
        lambda: uniform(3, 1),
        lambda: Persona(subject=""),
        lambda: Journey("", nothing),
        lambda: Journey("x", nothing, weight=0),
        lambda: Load([]),
        lambda: Load([Journey("x", nothing), Journey("x", nothing)]),
    ],
)
def test_what_makes_no_sense_is_refused(declare: object) -> None:
    with pytest.raises(DeclarationError) as refused:
        declare()  # type: ignore[operator]
    assert refused.value.hint


def test_journeys_are_begun_by_their_weights() -> None:
    load = Load([Journey("often", nothing, weight=3), Journey("seldom", nothing)])
    drawn = [load.choose(Random(f"1/{number}")).name for number in range(2000)]
    assert drawn.count("often") == pytest.approx(1500, rel=0.05)
    assert [load.share(journey) for journey in load.journeys] == [0.75, 0.25]
