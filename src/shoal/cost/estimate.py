"""Items times prices: a bill with low, expected and high, whose parts sum to its totals. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property

import msgspec

from shoal.cost.prices import Price, Table, packaged
from shoal.cost.usage import ZERO, Range

_CENT = Decimal("0.01")


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An amount of something that costs."""

    component: str
    """What a person calls it: ``Fargate processors``."""
    price: str
    """Its name in the table of prices."""
    amount: Range
    """Units of the price, in a month."""
    service: str = ""
    """Whose it is; empty for what all share."""
    by_use: bool = False
    """Whether it grows with requests."""
    region: str = ""
    """Where it is billed, when that is not where the table of prices is for."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """An item and what it costs."""

    item: Item
    price: Price | None
    """None where nobody knows it."""
    cost: Range | None
    """A month, to the cent; None where the price is unknown."""


class Estimate(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A bill."""

    table: Table
    lines: tuple[Line, ...]
    others: tuple[Table, ...] = ()
    """Prices of other regions, of what is billed there."""

    @property
    def total(self) -> Range:
        """The sum of what is known."""
        return added(self.lines)

    @property
    def unknown(self) -> tuple[Line, ...]:
        """What is not in the sum, because nobody knows its price."""
        return tuple(line for line in self.lines if line.cost is None)

    @property
    def services(self) -> tuple[str, ...]:
        """Services in order, what all share first."""
        return tuple(sorted(self._by_service))

    def of(self, service: str) -> tuple[Line, ...]:
        """Lines of one service; of what all share for the empty name."""
        return tuple(self._by_service.get(service, ()))

    @cached_property
    def _by_service(self) -> Mapping[str, list[Line]]:
        found: dict[str, list[Line]] = {}
        for line in self.lines:
            found.setdefault(line.item.service, []).append(line)
        return found


def priced(items: Iterable[Item], table: Table) -> Estimate:
    """Price items, each where it is billed. Lines are rounded to the cent, and sums are sums of lines.

    What is alike is one line, as it is on a bill: of thirteen queues that cost half a cent each, none is rounded.
    """
    listed = _together(items)
    others = {item.region for item in listed} - {"", table.region}
    tables = {region: packaged(table.provider, region) for region in sorted(others)}
    lines = (_line(item, tables.get(item.region, table).prices.get(item.price)) for item in listed)
    return Estimate(table=table, lines=tuple(lines), others=tuple(tables.values()))


def added(lines: Sequence[Line]) -> Range:
    """Add what is known."""
    return sum((line.cost for line in lines if line.cost is not None), ZERO)


def per_thousand(estimate: Estimate, requests: Range) -> Decimal | None:
    """Say what a thousand requests cost, everything included; None where there are none, or no price is known."""
    known = len(estimate.unknown) < len(estimate.lines)
    return estimate.total.expected * 1000 / requests.expected if known and requests.expected else None


def of_one_more(estimate: Estimate, requests: Range) -> Decimal | None:
    """Say what a thousand further requests cost: what grows with them alone; None where none of it has a price."""
    growing = [line for line in estimate.lines if line.item.by_use and line.cost is not None]
    return added(growing).expected * 1000 / requests.expected if growing and requests.expected else None


def cents(amount: Decimal) -> Decimal:
    """Round to the cent."""
    return amount.quantize(_CENT, rounding=ROUND_HALF_UP)


def _together(items: Iterable[Item]) -> tuple[Item, ...]:
    found: dict[tuple[str, str, str, str, bool], Item] = {}
    for item in items:
        key = (item.service, item.component, item.price, item.region, item.by_use)
        known = found.get(key)
        found[key] = item if known is None else msgspec.structs.replace(known, amount=known.amount + item.amount)
    return tuple(found.values())


def _line(item: Item, price: Price | None) -> Line:
    if price is None:
        return Line(item=item, price=None, cost=None)
    cost = item.amount * price.amount
    rounded = Range(low=cents(cost.low), expected=cents(cost.expected), high=cents(cost.high))
    return Line(item=item, price=price, cost=rounded)
