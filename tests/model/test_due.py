"""Due times: after each other, as the fields say, and once where clocks on the wall jump."""

import itertools
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.model import cron
from shoal.model.due import Rule, following, latest, pending

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    UTC,
    BERLIN,
    ZoneInfo("America/New_York"),
    ZoneInfo("America/St_Johns"),  # jumped at 00:01
    ZoneInfo("Australia/Lord_Howe"),  # jumps by half an hour
    ZoneInfo("America/Sao_Paulo"),  # jumped at midnight
    ZoneInfo("Africa/Casablanca"),
    ZoneInfo("Pacific/Apia"),  # left out a whole day
    ZoneInfo("Asia/Kathmandu"),
]


def rule(text: str, zone: tzinfo = UTC) -> Rule:
    return cron.parse(text), zone


def at(text: str, zone: tzinfo = UTC, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def dues(rule: Rule, after: datetime, count: int) -> list[datetime]:
    found = []
    for _ in range(count):
        after = following(rule, after)
        found.append(after)
    return found


def field(least: int, most: int) -> st.SearchStrategy[str]:
    number = st.integers(least, most)
    spans = st.tuples(number, number).map(sorted)
    item = st.one_of(
        st.just("*"),
        st.integers(1, 30).map(lambda step: f"*/{step}"),
        number.map(str),
        spans.map(lambda span: f"{span[0]}-{span[1]}"),
        st.tuples(spans, st.integers(1, 9)).map(lambda given: f"{given[0][0]}-{given[0][1]}/{given[1]}"),
    )
    return st.lists(item, min_size=1, max_size=3).map(",".join)


expressions = st.tuples(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 7)).map(" ".join)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)).map(lambda found: found.replace(tzinfo=UTC))  # noqa: DTZ001 - given a zone at once
zones = st.sampled_from(ZONES)


@settings(deadline=None)  # the machine may be busy
@given(text=expressions, zone=zones, after=moments)
def test_due_times_come_after_each_other_and_show_what_the_fields_say(text: str, zone: tzinfo, after: datetime) -> None:
    expression = cron.parse(text)
    found = dues((expression, zone), after, 4)
    assert after < found[0]
    assert found == sorted(set(found))
    for moment in found:
        assert latest((expression, zone), moment) == moment
        shown = moment.astimezone(zone)
        fits = shown.minute in expression.minutes and shown.hour in expression.hours and expression.on(shown.date())
        assert fits or _ends_a_gap(moment, zone), (text, zone, moment)


def _ends_a_gap(moment: datetime, zone: tzinfo) -> bool:
    before = (moment - timedelta(seconds=1)).astimezone(zone)
    return before.utcoffset() != moment.astimezone(zone).utcoffset()


@settings(deadline=None)  # the machine may be busy
@given(text=expressions, zone=zones, after=moments)
def test_looking_back_finds_what_looking_forward_found(text: str, zone: tzinfo, after: datetime) -> None:
    expression = (cron.parse(text), zone)
    found = dues(expression, after, 5)
    assert pending(expression, after, found[-1], 9) == found
    assert pending(expression, after, found[-1], 2) == found[-2:]
    assert pending(expression, found[0], found[1] - timedelta(microseconds=1), 9) == []


@settings(deadline=None)
@given(seconds=st.integers(1, 10**7), after=moments)
def test_a_period_is_counted_from_one_moment_on_every_replica(seconds: int, after: datetime) -> None:
    period = timedelta(seconds=seconds)
    due = following(period, after)
    assert after < due <= after + period
    assert following(period, due) - due == period
    assert latest(period, due) == due
    assert latest(period, due - timedelta(microseconds=1)) == due - period
    assert due.timestamp() % seconds == 0


@settings(deadline=None)
@given(hour=st.integers(0, 23), minute=st.integers(0, 59), zone=zones, day=moments)
def test_a_time_of_day_comes_once_a_day_whatever_the_clocks_do(
    hour: int, minute: int, zone: tzinfo, day: datetime
) -> None:
    found = dues(rule(f"{minute} {hour} * * *", zone), day, 5)
    days = [moment.astimezone(zone).date() for moment in found]
    apart = {later.toordinal() - earlier.toordinal() for earlier, later in itertools.pairwise(days)}
    assert apart <= ({1} if zone is not ZONES[7] else {1, 2})


def test_a_time_that_is_left_out_runs_when_the_gap_ends() -> None:
    """On 2024-03-31 in Berlin, 02:00 was followed by 03:00."""
    found = dues(rule("30 2 * * *", BERLIN), at("2024-03-29T12:00"), 3)
    assert found == [at("2024-03-30T02:30", BERLIN), at("2024-03-31T03:00", BERLIN), at("2024-04-01T02:30", BERLIN)]


def test_two_times_that_are_left_out_run_once() -> None:
    found = dues(rule("10,50 2 * * *", BERLIN), at("2024-03-30T12:00"), 2)
    assert found == [at("2024-03-31T03:00", BERLIN), at("2024-04-01T02:10", BERLIN)]


def test_a_time_that_comes_twice_runs_the_first_time() -> None:
    """On 2024-10-27 in Berlin, 03:00 was followed by 02:00."""
    found = dues(rule("30 2 * * *", BERLIN), at("2024-10-26T12:00"), 2)
    assert found == [at("2024-10-27T02:30", BERLIN), at("2024-10-28T02:30", BERLIN)]


@pytest.mark.parametrize("day", ["2024-03-31", "2024-10-27", "2024-06-01"])
def test_a_pace_is_kept_whatever_the_clocks_do(day: str) -> None:
    found = dues(rule("*/15 * * * *", BERLIN), at(f"{day}T00:00", BERLIN), 90)
    assert {later - earlier for earlier, later in itertools.pairwise(found)} == {timedelta(minutes=15)}


def test_clocks_set_back_around_midnight() -> None:
    """In St John's, 00:01 on 2006-10-29 was followed by 23:01 of the day before."""
    zone = ZoneInfo("America/St_Johns")
    found = dues(rule("0,30 * * * *", zone), at("2006-10-28T22:45", zone), 5)
    assert found == [
        at("2006-10-28T23:00", zone),
        at("2006-10-28T23:30", zone),
        at("2006-10-29T00:00", zone),
        at("2006-10-28T23:30", zone, fold=1),
        at("2006-10-29T00:00", zone, fold=1),
    ]


def test_a_leap_day_is_found_over_a_century_that_has_none() -> None:
    assert following(rule("0 0 29 2 *"), at("2096-03-01T00:00")) == at("2104-02-29T00:00")
    assert latest(rule("0 0 29 2 *"), at("2104-02-28T00:00")) == at("2096-02-29T00:00")


def test_many_missed_times_are_listed_at_once() -> None:
    found = pending(rule("* * * * *", BERLIN), at("2020-01-01T00:00"), at("2024-10-27T12:00"), 100)
    assert len(found) == 100
    assert found[-1] == at("2024-10-27T12:00")
