"""When schedules are due: pure, and the same on every replica.

A cron expression means the clock on the wall of its zone. Where that clock jumps (daylight saving time), the rule is
cron's own: a schedule with a time of day (its hour field does not begin with ``*``) runs once that day. Is its time
left out, it runs when the gap ends; does its time come twice, it runs the first time. A schedule with a pace (``*`` or
``*/2`` hours) follows the hands: times that are left out are no times, times that come twice count twice.
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from shoal.model.cron import Cron

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_A_DAY = timedelta(days=1)

_FAR = 366 * 41
"""Days within which every possible day comes, also a Sunday that is 29 February with a secular year between."""

Rule = timedelta | tuple[Cron, tzinfo]
"""A period, counted from 1970 in UTC so that all replicas agree; or an expression and its zone."""


def following(rule: Rule, after: datetime) -> datetime:
    """Return the first due time after a moment, in UTC."""
    if isinstance(rule, timedelta):
        return EPOCH + ((after - EPOCH) // rule + 1) * rule
    return _onwards(*rule, after)


def latest(rule: Rule, until: datetime) -> datetime:
    """Return the last due time that is not after a moment, in UTC."""
    if isinstance(rule, timedelta):
        return EPOCH + ((until - EPOCH) // rule) * rule
    return _backwards(*rule, until)


def pending(rule: Rule, after: datetime, until: datetime, most: int) -> list[datetime]:
    """List the due times after one moment and not after another, oldest first; of more than `most`, the latest."""
    found: list[datetime] = []
    moment = latest(rule, until)
    while moment > after and len(found) < most:
        found.append(moment)
        moment = latest(rule, moment - timedelta(microseconds=1))
    return found[::-1]


def _onwards(cron: Cron, zone: tzinfo, after: datetime) -> datetime:
    for day in _days(cron, after.astimezone(zone).date() - _A_DAY, _A_DAY):
        # A clock set back around midnight can show the next day's first times before the last ones of a day.
        later = [m for d in (day, day + _A_DAY, day + 2 * _A_DAY) for m in _moments(cron, zone, d) if m > after]
        if later:
            return min(later)
    raise _never(cron)


def _backwards(cron: Cron, zone: tzinfo, until: datetime) -> datetime:
    for day in _days(cron, until.astimezone(zone).date() + _A_DAY, -_A_DAY):
        earlier = [m for d in (day, day - _A_DAY, day - 2 * _A_DAY) for m in _moments(cron, zone, d) if m <= until]
        if earlier:
            return max(earlier)
    raise _never(cron)


def _never(cron: Cron) -> ValueError:
    return ValueError(f"{cron.text} is never due")  # the parser refuses it; see `cron.parse`


def _days(cron: Cron, start: date, step: timedelta) -> Iterator[date]:
    """Yield the days on which it is due."""
    for number in range(_FAR):
        day = start + number * step
        if cron.on(day):
            yield day


@lru_cache(maxsize=64)
def _moments(cron: Cron, zone: tzinfo, day: date) -> tuple[datetime, ...]:
    """List the due times of one local day, in UTC and in order."""
    if not cron.on(day):
        return ()
    found: set[datetime] = set()
    for hour in cron.hours:
        for minute in cron.minutes:
            found.update(_instants(datetime.combine(day, time(hour, minute)), zone, pace=cron.every_hour))
    return tuple(sorted(found))


def _instants(local: datetime, zone: tzinfo, *, pace: bool) -> tuple[datetime, ...]:
    """Say at which moments a clock on the wall shows a time: one, none in a gap, two where it is set back."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return (first,)
    if first < second:
        return (first, second) if pace else (first,)
    return () if pace else (_end_of_gap(second, first, zone),)


def _end_of_gap(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """Find the moment between two at which the clock jumps, to the second."""
    seconds = range(int((after - before).total_seconds()) + 1)
    wanted = after.astimezone(zone).utcoffset()

    def jumped(number: int) -> bool:
        return (before + timedelta(seconds=number)).astimezone(zone).utcoffset() == wanted

    return before + timedelta(seconds=bisect_left(seconds, True, key=jumped))  # noqa: FBT003 - what is looked for
