"""Bars for a page: drawings in SVG that need no network, and follow light and dark. Pure."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from html import escape

import msgspec

from shoal.cost.usage import Range

_LEFT, _WIDTH, _RIGHT = 310, 480, 190
_HIGH, _GAP = 22, 14
_TOP = 8


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One bar: parts one after the other, and how far it may go."""

    name: str
    parts: tuple[tuple[str, Decimal], ...]
    """Name of a part, and how much of it is expected."""
    total: Range
    partial: bool = False
    """Whether something in it has no price, so that it would be longer."""


def drawn(title: str, bars: Sequence[Bar], names: Sequence[str]) -> str:
    """Draw bars; the text in a drawing says what it shows, and each part has a title.

    Args:
        title: What is shown.
        bars: From top to bottom.
        names: Of all parts, each of which has a colour of its own.
    """
    most = max((bar.total.high for bar in bars), default=Decimal(0)) or Decimal(1)
    height = _TOP + len(bars) * (_HIGH + _GAP)
    inside = "".join(_bar(bar, number, most, names) for number, bar in enumerate(bars))
    told = "; ".join(f"{bar.name}: {_money(bar.total.expected)}{_more(bar)}" for bar in bars)
    return (
        f'<svg viewBox="0 0 {_LEFT + _WIDTH + _RIGHT} {height}" role="img" aria-labelledby="chart chart-text">'
        f'<title id="chart">{escape(title)}</title><desc id="chart-text">{escape(told)}</desc>{inside}</svg>'
    )


def legend(names: Sequence[str]) -> str:
    """Name the colours."""
    entries = "".join(f'<li><span class="c{n}"></span>{escape(name)}</li>' for n, name in enumerate(names))
    return f'<ul class="legend">{entries}</ul>'


def _bar(bar: Bar, number: int, most: Decimal, names: Sequence[str]) -> str:
    top = _TOP + number * (_HIGH + _GAP)
    middle = top + _HIGH // 2
    low, high = (_LEFT + _scaled(one, most) for one in (bar.total.low, bar.total.high))
    whisker = f"M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 6}v12M{high:.1f} {middle - 6}v12"
    range_ = f"{_money(bar.total.expected)}{_more(bar)} ({_money(bar.total.low)}–{_money(bar.total.high)})"
    return "".join(
        [
            f'<text x="{_LEFT - 10}" y="{middle + 5}" text-anchor="end">{escape(bar.name)}</text>',
            *_parts(bar, top, most, names),
            f'<path class="halo" d="{whisker}"/><path class="range" d="{whisker}"/>',
            f'<text x="{high + 8:.1f}" y="{middle + 5}">{escape(range_)}</text>',
        ]
    )


def _parts(bar: Bar, top: int, most: Decimal, names: Sequence[str]) -> Iterator[str]:
    at = Decimal(_LEFT)
    for name, amount in bar.parts:
        wide = _scaled(amount, most)
        if wide:
            yield (
                f'<rect class="c{names.index(name)}" x="{at:.1f}" y="{top}" width="{wide:.1f}" height="{_HIGH}">'
                f"<title>{escape(f'{bar.name}, {name}: {_money(amount)}')}</title></rect>"
            )
        at += wide


def _scaled(amount: Decimal, most: Decimal) -> Decimal:
    return amount / most * _WIDTH


def _more(bar: Bar) -> str:
    return "+" if bar.partial else ""


def _money(amount: Decimal) -> str:
    return f"{amount:,.0f}"
