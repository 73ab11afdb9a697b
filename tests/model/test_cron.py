"""Cron expressions are read as crontab(5) says, and what makes no sense is refused in words."""

import contextlib
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.errors import DeclarationError
from shoal.model import cron

ALL_MONTHS = frozenset(range(1, 13))


def test_everything_every_minute() -> None:
    found = cron.parse("* * * * *")
    assert (len(found.minutes), len(found.hours), found.months) == (60, 24, ALL_MONTHS)
    assert found.every_hour
    assert found.on(date(2024, 2, 29))


def test_lists_ranges_steps_and_names() -> None:
    found = cron.parse("0,30 8-18/5 1-7,15 Jan,jun-AUG mon-fri")
    assert found.minutes == (0, 30)
    assert found.hours == (8, 13, 18)
    assert found.days == {1, 2, 3, 4, 5, 6, 7, 15}
    assert found.months == {1, 6, 7, 8}
    assert found.weekdays == {1, 2, 3, 4, 5}
    assert not found.every_hour


def test_both_0_and_7_are_sunday() -> None:
    assert cron.parse("0 0 * * 0").weekdays == cron.parse("0 0 * * 7").weekdays == cron.parse("0 0 * * sun").weekdays


def test_of_two_restricted_days_one_is_enough() -> None:
    either = cron.parse("0 0 13 * fri")
    assert either.on(date(2024, 9, 13))  # both
    assert either.on(date(2024, 9, 6))  # a Friday
    assert either.on(date(2024, 10, 13))  # a Sunday
    both = cron.parse("0 0 */2 * fri")
    assert both.on(date(2024, 9, 13))
    assert not both.on(date(2024, 9, 6))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "0 fields"),
        ("* * * *", "4 fields"),
        ("* * * * * *", "6 fields"),
        ("@daily", "1 fields"),
        ("60 * * * *", "minute 60 is not within 0 to 59"),
        ("* 24 * * *", "hour 24"),
        ("* * 0 * *", "day of the month 0"),
        ("* * * 13 *", "month 13"),
        ("* * * * 8", "day of the week 8"),
        ("* * * foo *", "month knows no 'foo'"),
        ("mon * * * *", "minute knows no 'mon'"),
        ("5-1 * * * *", "runs backwards"),
        ("* * * * fri-mon", "runs backwards"),
        ("*/0 * * * *", "step of 0"),
        ("5/15 * * * *", "write 5-59/15"),
        ("*-5 * * * *", "everything and a range"),
        ("1,,2 * * * *", "cannot be read"),
        ("-1 * * * *", "cannot be read"),
        ("1.5 * * * *", "cannot be read"),
        ("٣ * * * *", "cannot be read"),
        ("0 0 31 2,4 *", "never due"),
        ("0 0 30 2 *", "never due"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, said: str) -> None:
    with pytest.raises(DeclarationError, match=r".") as refusal:
        cron.parse(text, where="shop/x.py:1")
    assert said in refusal.value.message
    assert refusal.value.hint
    assert refusal.value.where == "shop/x.py:1"


def test_a_day_that_few_months_have_is_allowed_where_one_has_it() -> None:
    assert cron.parse("0 0 31 2,3 *").on(date(2024, 3, 31))
    assert cron.parse("0 0 29 2 *").on(date(2024, 2, 29))
    assert cron.parse("0 0 30 2 mon").on(date(2024, 2, 5)), "the other day is enough"


@settings(deadline=None)  # the machine may be busy
@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(DeclarationError):
        assert cron.parse(text).minutes
