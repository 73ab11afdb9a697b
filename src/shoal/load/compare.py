"""Two runs beside each other. Pure."""

from collections.abc import Callable

import msgspec

from shoal.load.histogram import read
from shoal.load.result import Latency, Result, Row, bad

PERCENTILES = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 100.0)


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of both runs."""

    before: float
    after: float

    @property
    def change(self) -> float | None:
        """By which part it rose; None where there was nothing before."""
        return self.after / self.before - 1 if self.before else None


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """The corrected latency within which so many percent were done, in milliseconds."""

    percentile: float
    latency: Pair


class Both(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of both runs; what one of them lacks is 0 there."""

    name: str
    reached: Pair
    p50: Pair
    p99: Pair
    errors: Pair


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two runs."""

    curve: tuple[Point, ...]
    rows: tuple[Both, ...]
    """All requests first, then each operation."""
    unlike: tuple[str, ...]
    """Why they are hard to compare."""


def compare(before: Result, after: Result) -> Comparison:
    """Put two runs side by side."""
    a, b = (read(result.total.corrected).at(*PERCENTILES) for result in (before, after))
    ones, twos = ({row.name: row for row in result.operations} for result in (before, after))
    names = list(dict.fromkeys((*ones, *twos)))
    return Comparison(
        curve=tuple(
            Point(percentile=p, latency=Pair(before=x, after=y)) for p, x, y in zip(PERCENTILES, a, b, strict=True)
        ),
        rows=(_both("all", before.total, after.total), *(_both(n, ones.get(n), twos.get(n)) for n in names)),
        unlike=tuple(_unlike(before, after)),
    )


def _both(name: str, before: Row | None, after: Row | None) -> Both:
    def pair(figure: Callable[[Row], float]) -> Pair:
        return Pair(before=figure(before) if before else 0.0, after=figure(after) if after else 0.0)

    def at(figure: Callable[[Latency], float]) -> Pair:
        return pair(lambda row: figure(row.corrected))

    return Both(
        name=name, reached=pair(lambda row: row.reached), p50=at(lambda x: x.p50), p99=at(lambda x: x.p99),
        errors=pair(bad),
    )  # fmt: skip


def _unlike(before: Result, after: Result) -> list[str]:
    found = []
    for what, a, b in (
        ("rates", before.rate, after.rate),
        ("ramps", before.ramp, after.ramp),
        ("systems", before.load, after.load),
    ):
        if a != b:
            found.append(f"their {what} differ: {a} and {b}")
    found += [
        f"the {name} is not valid: {text}" for name, r in (("first", before), ("second", after)) for text in r.doubts
    ]
    return found
