"""Rule: a service is asked much more, or much less, than it usually is. The judgement is pure.

What is usual is the median of the minutes before, and how far it usually is from it the median absolute deviation,
which one wild minute does not move (Huber, Robust Statistics, 1981; times 1.4826 it is the standard deviation of what
is normally distributed).
"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from shoal.dashboard.notices.ledger import Finding
from shoal.dashboard.store.reading.database import Database

HISTORY = 10
"""Full minutes before the last one below which nothing is usual."""

REMEMBERED = 60
"""Full minutes that are looked at."""

WIDTH = 5.0
"""Standard deviations beyond which a minute is unusual."""

SHARE = 0.5
"""Share of the median that a minute must be off besides: very steady traffic has a very narrow band."""

LEAST = 30.0
"""Requests that a minute must be off besides."""

_SERVER = 2
_NORMAL = 1.4826


def band(minutes: Sequence[float]) -> tuple[float, float] | None:
    """Return from how many to how many requests in a minute are usual; None while nobody can tell."""
    if len(minutes) < HISTORY:
        return None
    middle = median(minutes)
    off = _NORMAL * median(abs(each - middle) for each in minutes)
    wide = max(WIDTH * off, SHARE * middle, LEAST)
    return max(0.0, middle - wide), middle + wide


def unusual(service: str, minutes: Sequence[float]) -> Iterator[Finding]:
    """Judge the last of a service's minutes by those before it."""
    if not minutes:
        return
    *before, latest = minutes
    usual = band(before)
    if usual is None or usual[0] <= latest <= usual[1]:
        return
    yield Finding(
        rule="traffic",
        key=service,
        service=service,
        severity="note",
        text=(
            f"{service} was asked {latest:g} times in the last minute; {usual[0]:.0f} to {usual[1]:.0f} are usual, "
            f"by the {len(before)} minutes before (median {median(before):g})"
        ),
        traces={"service": service},
    )


def judged(minutes: Mapping[str, Sequence[float]]) -> list[Finding]:
    """Judge every service; when nobody asked anything of any of them, whoever does has gone, and that is no news."""
    if not any(counts[-1] for counts in minutes.values() if counts):
        return []
    return [finding for service, counts in minutes.items() for finding in unusual(service, counts)]


def read_minutes(database: Database, now: float) -> Mapping[str, Sequence[float]]:
    """Count what services were asked in each full minute since their first request; `now` in seconds since 1970."""
    end = int(now // 60 * 60)
    ask = (
        "SELECT o.service, c.at / 60, sum(c.count) FROM cells c JOIN operations o ON o.id = c.subject "
        "WHERE o.kind = ? AND c.at >= ? AND c.at < ? GROUP BY 1, 2 ORDER BY 1, 2"
    )
    found: dict[str, dict[int, float]] = {}
    for service, minute, count in database.ask(ask, (_SERVER, end - 60 * (REMEMBERED + 1), end)):
        found.setdefault(service, {})[minute] = float(count)
    last = end // 60
    return {
        service: [counts.get(minute, 0.0) for minute in range(min(counts) + 1, last)]
        for service, counts in found.items()
    }
