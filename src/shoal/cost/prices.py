"""Tables of prices: each number with its unit, its date and where it comes from. What is not in one is unknown."""

import json
import tomllib
from decimal import Decimal
from functools import cache
from importlib import resources

import msgspec

from shoal.errors import DeclarationError

MOST = Decimal(10) ** 9
"""Of a price."""


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one unit costs."""

    amount: Decimal
    """In the currency of the table."""
    unit: str
    """Such as ``hour``, ``GB-month`` or ``million requests``."""
    source: str
    """Name of one of the table's sources."""

    def __post_init__(self) -> None:
        """Refuse what is no price."""
        if not self.amount.is_finite() or not 0 <= self.amount <= MOST:
            raise ValueError(f"{self.amount} is no price; it is 0 to {MOST:,}")


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices of one provider in one region at one time."""

    provider: str
    region: str
    date: str
    """When the prices were looked up, ``2026-11-23``."""
    currency: str = "USD"
    sources: dict[str, str] = {}
    """Name → where it can be read."""
    prices: dict[str, Price] = {}


def read(text: str, *, where: str) -> Table:
    """Read a table from TOML, or raise `DeclarationError` that says what is wrong with it.

    Amounts are written as text, so that none is rounded on its way.
    """
    try:
        table = msgspec.convert(tomllib.loads(text), Table, strict=False)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise DeclarationError(f"this is no table of prices: {error}", where=where, hint="see docs/cost.md") from error
    for name, price in table.prices.items():
        if price.source not in table.sources:
            raise DeclarationError(
                f"the price {name} comes from {price.source!r}, which is no source of the table", where=where,
                hint='name it below [sources]: NAME = "where it can be read"',
            )  # fmt: skip
    return table


def written(table: Table, *, head: str) -> str:
    """Write a table as `read` reads it, below lines of comment."""
    lines = [f"# {line}" for line in head.splitlines()]
    lines += [f"{name} = {_text(getattr(table, name))}" for name in ("provider", "region", "date", "currency")]
    lines += ["", "[sources]", *(f"{_text(name)} = {_text(where)}" for name, where in table.sources.items())]
    lines += ["", "[prices]"]
    for name, price in table.prices.items():
        amount, unit, source = (_text(one) for one in (f"{price.amount:f}", price.unit, price.source))
        lines.append(f"{_text(name)} = {{ amount = {amount}, unit = {unit}, source = {source} }}")
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """Spell a string of TOML: as JSON does, but for one character that TOML wants spelled."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


@cache
def packaged(provider: str, region: str) -> Table:
    """Return the table that Shoal brings; one without any price for a region of which it knows none."""
    file = resources.files("shoal.cost") / "tables" / f"{provider}-{region}.toml"
    if not file.is_file():
        return Table(provider=provider, region=region, date="", prices={})
    return read(file.read_text("utf-8"), where=file.name)


def regions(provider: str) -> tuple[str, ...]:
    """Name the regions of which Shoal brings a table."""
    names = (file.name for file in (resources.files("shoal.cost") / "tables").iterdir())
    ours = (name.removeprefix(f"{provider}-") for name in names if name.startswith(f"{provider}-"))
    return tuple(sorted(name.removesuffix(".toml") for name in ours))
