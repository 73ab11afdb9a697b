"""When a new version is worse: the rule holds for every pair of counts."""

from hypothesis import given
from hypothesis import strategies as st

from shoal.model.rollout import Rollout
from shoal.model.verdict import Counts, difference, judge, since

RULE = Rollout(requests=50)


@st.composite
def counted(draw: st.DrawFn, least: int = 0) -> Counts:
    total = draw(st.integers(least, 5000))
    quick = draw(st.integers(0, total))
    return Counts(
        requests=total,
        errors=draw(st.integers(0, total)),
        within={"5": quick, "100": draw(st.integers(quick, total)), "1000": total},
    )


@given(counted(), st.integers(1, 50))
def test_a_version_is_never_worse_than_itself(counts: Counts, times: int) -> None:
    many = Counts(
        requests=counts.requests * times,
        errors=counts.errors * times,
        within={bound: count * times for bound, count in counts.within.items()},
    )
    assert judge(many, counts, RULE).outcome != "worse"
    assert judge(counts, counts, RULE).outcome != "worse"


@given(counted(), counted())
def test_nobody_is_judged_by_few_requests(stable: Counts, fresh: Counts) -> None:
    assert (judge(stable, fresh, RULE).outcome == "waiting") == (fresh.requests < RULE.requests)


@given(counted(1), counted(50))
def test_more_errors_never_help(stable: Counts, fresh: Counts) -> None:
    worse = Counts(requests=fresh.requests, errors=fresh.requests, within=fresh.within)
    if judge(stable, fresh, RULE).outcome == "worse":
        assert judge(stable, worse, RULE).outcome == "worse"
    if judge(stable, worse, RULE).outcome == "fine":
        assert judge(stable, fresh, RULE).outcome == "fine"


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.integers(1, 10_000))
def test_the_interval_holds_the_difference(one: tuple[int, int], other: int) -> None:
    low, high = difference(one, (0, other))
    assert -1.0 <= low <= one[0] / one[1] <= high <= 1.0 + 1e-9


def test_errors_are_seen() -> None:
    stable, sound = Counts(requests=900, errors=2), Counts(requests=100, errors=0)
    assert judge(stable, Counts(requests=100, errors=15), RULE).outcome == "worse"
    assert judge(stable, sound, RULE).outcome == "undecided"
    assert judge(Counts(requests=90_000), Counts(requests=10_000), RULE).outcome == "fine"
    assert judge(Counts(), Counts(requests=60, errors=60), RULE).outcome == "worse"


def test_a_few_errors_may_be_chance() -> None:
    stable = Counts(requests=9000, errors=0)
    assert judge(stable, Counts(requests=50, errors=1), RULE).outcome == "undecided"
    assert judge(stable, Counts(requests=5000, errors=100), RULE).outcome == "worse"  # the same share, of many


def test_latency_is_seen() -> None:
    stable = Counts(requests=900, within={"5": 700, "10": 880, "1000": 900})
    slow = Counts(requests=100, within={"5": 0, "10": 20, "1000": 100})
    found = judge(stable, slow, RULE)
    assert found.outcome == "worse"
    assert "slower than 10 ms 80 of 100" in found.reason


@given(counted(), counted())
def test_what_was_before_does_not_count(before: Counts, more: Counts) -> None:
    now = Counts(
        requests=before.requests + more.requests,
        errors=before.errors + more.errors,
        within={bound: before.within[bound] + more.within[bound] for bound in more.within},
    )
    assert since(now, before) == more
    assert since(before, before).requests == 0


def test_counters_may_begin_anew() -> None:
    assert since(Counts(requests=3), Counts(requests=100)).requests == 3
