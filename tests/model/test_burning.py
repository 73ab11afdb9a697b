"""Burn rates: the workbook's own numbers, and laws that hold of any counts."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.model.burning import LEAST, Count, alarms, budget_left, burn_rate, burns
from shoal.model.objectives import Objective

MONTHLY = Objective(availability=0.999)
NOW = 40 * 86_400.0
counts = st.lists(st.builds(Count, st.floats(0, NOW), st.integers(0, 10_000), st.integers(0, 10_000)), max_size=40)
objectives = st.builds(
    Objective,
    availability=st.floats(0.5, 0.999_999),
    window=st.sampled_from(["1h", "12h", "1d", "7d", "30d", "4w", "366d"]),
)


def steadily(rate: float, seconds: float, goal: float = 0.999, each: float = 1_000_000) -> list[Count]:
    """Count requests of which `rate` times too many fail, minute by minute until now."""
    bad = rate * (1 - goal) * each
    return [Count(NOW - 60.0 * minute, each - bad, bad) for minute in range(int(seconds / 60))]


def test_a_month_has_the_alarms_of_the_workbook() -> None:
    found = [(a.severity, a.long / 3600, a.short / 60, round(a.rate, 6)) for a in alarms(MONTHLY)]
    assert found == [("page", 1.0, 5.0, 14.4), ("page", 6.0, 30.0, 6.0), ("ticket", 72.0, 360.0, 1.0)]


@given(objectives)
def test_an_alarm_sounds_when_its_share_of_the_budget_is_used_up(objective: Objective) -> None:
    for alarm, share in zip(alarms(objective), (0.02, 0.05, 0.10), strict=True):
        assert math.isclose(alarm.rate * alarm.long / objective.seconds, share)
        assert math.isclose(alarm.long, alarm.short * 12)


@given(counts, objectives)
def test_a_burn_rate_is_the_share_of_errors_over_what_is_allowed(found: list[Count], objective: Objective) -> None:
    rate = burn_rate(found, 0.0, objective.goal)
    assert 0 <= rate <= 1 / (1 - objective.goal) * (1 + 1e-9)
    good, bad = sum(c.good for c in found if c.at > 0), sum(c.bad for c in found if c.at > 0)
    assert math.isclose(rate * (1 - objective.goal) * (good + bad), bad, abs_tol=1e-6)


@given(counts, objectives, st.integers(2, 50))
def test_how_many_there_are_does_not_matter_to_the_rate(found: list[Count], objective: Objective, times: int) -> None:
    more = [Count(c.at, c.good * times, c.bad * times) for c in found]
    assert math.isclose(burn_rate(more, 0.0, objective.goal), burn_rate(found, 0.0, objective.goal), rel_tol=1e-9)


@given(counts, objectives)
def test_an_error_more_never_leaves_more_budget(found: list[Count], objective: Objective) -> None:
    worse = [*found, Count(NOW, 0, 1)]
    assert budget_left(worse, objective, NOW) <= budget_left(found, objective, NOW) <= 1.0


@given(counts, objectives)
def test_what_is_older_than_the_window_costs_nothing(found: list[Count], objective: Objective) -> None:
    old = [Count(NOW - objective.seconds - count.at, count.good, count.bad) for count in found]
    assert budget_left(old, objective, NOW) == 1.0
    assert not any(burn.sounding for burn in burns(objective, old, NOW))


@pytest.mark.parametrize(
    ("rate", "sounding"),
    [(0.0, []), (0.9, []), (1.1, ["ticket"]), (6.1, ["page", "ticket"]), (14.5, ["page", "page", "ticket"])],
)
def test_the_faster_it_burns_the_more_alarms_sound(rate: float, sounding: list[str]) -> None:
    found = burns(MONTHLY, steadily(rate, 4 * 86_400), NOW)
    assert [burn.alarm.severity for burn in found if burn.sounding] == sounding


def test_an_alarm_ends_soon_after_the_errors_do() -> None:
    before = [Count(c.at - 301, c.good, c.bad) for c in steadily(100.0, 1200)]
    first, *_ = burns(MONTHLY, [*before, *steadily(0.0, 301)], NOW)
    assert first.long >= 14.4
    assert (first.short, first.sounding) == (0.0, False)


def test_a_run_of_minutes_is_judged_by_its_minutes() -> None:
    found = burns(MONTHLY, steadily(20.0, 180, each=1_000), NOW)
    assert [round(burn.long, 6) for burn in found] == [20.0, 20.0, 20.0]
    assert all(burn.sounding for burn in found)


@pytest.mark.parametrize("bad", range(LEAST + 1))
def test_an_unlucky_request_is_no_alarm(bad: int) -> None:
    found = burns(MONTHLY, [Count(NOW, 20, bad)], NOW)
    assert [burn.sounding for burn in found] == [bad >= LEAST] * 3


def test_nothing_happened_so_nothing_burns() -> None:
    assert budget_left([], MONTHLY, NOW) == 1.0
    assert [(burn.long, burn.short, burn.sounding) for burn in burns(MONTHLY, [], NOW)] == [(0.0, 0.0, False)] * 3
