"""A table with the prices that a list told, and without them the ones that were there. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from shoal.cost.prices import Price, Table

_LISTED = "list-"
"""How sources of prices from lists are called; the day follows."""

_OF_A_LIST = re.compile(rf"{_LISTED}\d{{4}}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Refreshed:
    """A table, and what became of each price."""

    table: Table
    new: tuple[str, ...]
    """Prices that the list told."""
    own: tuple[str, ...]
    """Prices that the list told and that stay as they are, since a person wrote them."""
    stayed: tuple[str, ...]
    """Prices that the list did not tell."""


def refreshed(
    told: Mapping[str, tuple[Decimal, str]], *, packaged: Table, own: Table | None, source: str, today: str
) -> Refreshed:
    """Put a table together: what a person wrote, then what the list told, then what was there, then what is packaged.

    Args:
        told: Price → dollars and unit.
        packaged: The table that Shoal brings; one without prices where it brings none.
        own: The table of the project; None where it has none.
        source: Where the list can be read.
        today: The day, ``2026-11-23``.
    """
    name = f"{_LISTED}{today}"
    written = _written(packaged, own)
    packaged = _apart(packaged, own)
    prices = {**packaged.prices, **(own.prices if own is not None else {})}
    sources = {**packaged.sources, **(own.sources if own is not None else {}), name: source}
    prices |= {
        price: Price(amount=amount, unit=unit, source=name)
        for price, (amount, unit) in told.items()
        if price not in written
    }
    used = {price.source for price in prices.values()}
    return Refreshed(
        table=msgspec.structs.replace(
            packaged, date=today, prices=dict(sorted(prices.items())),
            sources={known: where for known, where in sources.items() if known in used},
        ),
        new=tuple(sorted({*told} - written)),
        own=tuple(sorted({*told} & written)),
        stayed=tuple(sorted({*prices} - {*told})),
    )  # fmt: skip


def _apart(packaged: Table, own: Table | None) -> Table:
    """Rename sources of ours that a project calls by the same name and means otherwise."""
    theirs = own.sources if own is not None else {}
    names = {name: f"packaged-{name}" for name, where in packaged.sources.items() if theirs.get(name, where) != where}
    prices = {
        price: msgspec.structs.replace(one, source=names.get(one.source, one.source))
        for price, one in packaged.prices.items()
    }
    sources = {names.get(name, name): where for name, where in packaged.sources.items()}
    return msgspec.structs.replace(packaged, prices=prices, sources=sources)


def _written(packaged: Table, own: Table | None) -> set[str]:
    """Find prices of a project's table that a person wrote: from no list, and not from a source of ours."""
    if own is None:
        return set()
    ours = {*packaged.sources.values()}
    return {
        name
        for name, price in own.prices.items()
        if not _OF_A_LIST.fullmatch(price.source) and own.sources[price.source] not in ours
    }
