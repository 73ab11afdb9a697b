"""Schedules that cannot be meant are refused where they stand."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shoal import Postgres, Principal, Service, Tick, Transaction
from shoal.errors import DeclarationError
from shoal.service.describe import describe_service

Declare = Callable[[Service], Callable[..., Any]]

sound = Service("sound", store=Postgres(migrations=""))


@sound.every(timedelta(minutes=1), minutes=1, seconds=30, timeout=9.0)
async def tidy_up(tx: Transaction) -> None:
    """Tidy up.

    More of it.
    """


@sound.cron("0  3 * * MON", zone="Europe/Berlin", missed="all", name="weekly")
async def _report(tick: Tick) -> None:
    """Report."""


def test_what_is_declared_is_described() -> None:
    first, second = describe_service(sound).schedules
    assert (first.name, first.every, first.rule, first.missed) == ("tidy-up", 150.0, "every 2 min 30 s", "once")
    assert (first.timeout, first.attempts, first.summary) == (9.0, 5, "Tidy up.")
    assert (second.name, second.rule, second.missed) == ("weekly", "0 3 * * mon Europe/Berlin", "all")
    assert first.source.startswith("tests/service/test_schedules.py:")
    assert sound.background == [tidy_up, _report]


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (lambda s: s.every(), "a period of 0 s"),
        (lambda s: s.every(seconds=0.5), "a period of 0.5 s"),
        (lambda s: s.every(timedelta(minutes=-1)), "a period of -60 s"),
        (lambda s: s.cron("61 * * * *"), "minute 61"),
        (lambda s: s.cron("* * * * *", zone="Europe/Atlantis"), "no zone 'Europe/Atlantis'"),
        (lambda s: s.cron("* * * * *", zone="../etc/passwd"), "no zone"),
        (lambda s: s.every(minutes=1, missed="never"), "missed='never'"),
        (lambda s: s.every(minutes=1, retries=3), "unknown option 'retries'"),
        (lambda s: s.every(minutes=1, timeout=0), "timeout 0"),
        (lambda s: s.every(minutes=1, attempts=0), "attempts=0"),
        (lambda s: s.every(minutes=1, name="A name"), "not a DNS label"),
    ],
)
def test_what_cannot_be_meant_is_refused(declare: Declare, said: str) -> None:
    service = Service("odd", store=Postgres(migrations=""))
    with pytest.raises(DeclarationError, match=r".") as refusal:

        @declare(service)
        async def strike() -> None: ...

    assert said in refusal.value.message
    assert refusal.value.where.startswith("tests/service/test_schedules.py:")


def test_two_of_one_name_are_refused() -> None:
    service = Service("odd", store=Postgres(migrations=""))

    @service.every(minutes=1)
    async def strike() -> None: ...

    with pytest.raises(DeclarationError, match="declares schedule strike twice"):
        service.every(minutes=2)(strike)


def test_a_schedule_needs_a_store() -> None:
    service = Service("odd")
    with pytest.raises(DeclarationError, match="has none"):

        @service.every(minutes=1)
        async def strike() -> None: ...


odd = Service("odd", store=Postgres(migrations=""))


@odd.every(minutes=1)
async def who(tick: Tick, principal: Principal) -> None: ...


def test_what_only_a_request_has_is_refused() -> None:
    with pytest.raises(DeclarationError, match="'principal'"):
        describe_service(odd)
