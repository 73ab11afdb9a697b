"""Cron expressions of five fields, as crontab(5) has them: minute, hour, day of the month, month, day of the week."""

import re
from datetime import date

import msgspec

from shoal.errors import DeclarationError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

_ITEM = re.compile(r"(?P<first>\*|[a-z]+|[0-9]{1,2})(-(?P<last>[a-z]+|[0-9]{1,2}))?(/(?P<step>[0-9]{1,2}))?")

_LONGEST = {1: 31, 2: 29, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}
"""Days that each month can have."""


class _Field(msgspec.Struct, frozen=True, kw_only=True):
    """One of the five."""

    title: str
    least: int
    most: int
    names: tuple[str, ...] = ()
    """The first one stands for `least`."""


_FIELDS = (
    _Field(title="minute", least=0, most=59),
    _Field(title="hour", least=0, most=23),
    _Field(title="day of the month", least=1, most=31),
    _Field(title="month", least=1, most=12, names=_MONTHS),
    _Field(title="day of the week", least=0, most=7, names=_DAYS),
)


class Cron(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed expression."""

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    """Of the month."""
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    either_day: bool
    """Whether a day of the month or a day of the week is enough: so it is where both are restricted."""
    every_hour: bool
    """Whether the hour field begins with ``*``, so that it means a pace and no time of day."""

    def on(self, day: date) -> bool:
        """Tell whether it is due on a day at all."""
        if day.month not in self.months:
            return False
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return in_month or in_week if self.either_day else in_month and in_week


def parse(text: str, *, where: str = "") -> Cron:
    """Read an expression; raises `DeclarationError` that says what is wrong with which field."""
    parts = text.lower().split()
    if len(parts) != len(_FIELDS):
        raise DeclarationError(
            f"cron expression {text!r} has {len(parts)} fields, not 5",
            hint='write minute, hour, day of the month, month and day of the week: "0 3 * * *" is daily at 3:00',
            where=where,
        )
    try:
        minutes, hours, days, months, weekdays = (_read(f, part) for f, part in zip(_FIELDS, parts, strict=True))
    except ValueError as error:
        raise DeclarationError(
            f"cron expression {text!r} is wrong: {error}",
            hint="a field is *, a number, a range such as 1-5, these with a step such as */15, or a list of them",
            where=where,
        ) from None
    found = Cron(
        text=" ".join(parts),
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=days,
        months=months,
        weekdays=frozenset(day % 7 for day in weekdays),
        either_day=not (parts[2].startswith("*") or parts[4].startswith("*")),
        every_hour=parts[1].startswith("*"),
    )
    if not found.either_day and all(min(found.days) > _LONGEST[month] for month in found.months):
        raise DeclarationError(
            f"cron expression {text!r} is never due: no such month has a day {min(found.days)}",
            hint="choose a day that the month has",
            where=where,
        )
    return found


def _read(field: _Field, text: str) -> frozenset[int]:
    found: set[int] = set()
    for item in text.split(","):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise ValueError(f"{field.title} {item!r} cannot be read")
        found.update(_range(field, item, match))
    return frozenset(found)


def _range(field: _Field, item: str, match: re.Match[str]) -> range:
    first, last, step = match["first"], match["last"], match["step"]
    if first == "*":
        if last:
            raise ValueError(f"{field.title} {item!r} is both everything and a range")
        low, high = field.least, field.most
    else:
        low = _number(field, first)
        high = _number(field, last) if last else low
        if step and not last:
            raise ValueError(f"{field.title} {item!r} has a step but no range; write {first}-{field.most}/{step}")
    if high < low:
        raise ValueError(f"{field.title} {item!r} runs backwards; write two ranges")
    if step and int(step) < 1:
        raise ValueError(f"{field.title} {item!r} has a step of 0")
    return range(low, high + 1, int(step or 1))


def _number(field: _Field, text: str) -> int:
    if text in field.names:
        return field.least + field.names.index(text)
    if not text.isdigit():
        raise ValueError(f"{field.title} knows no {text!r}")
    if not field.least <= int(text) <= field.most:
        raise ValueError(f"{field.title} {text} is not within {field.least} to {field.most}")
    return int(text)
