"""Advice that follows from a bill: what else it could be, computed. Pure."""

from decimal import Decimal
from typing import Any

import msgspec

from shoal.cost.cloud import Cloud, R
from shoal.cost.estimate import Estimate, priced
from shoal.cost.month import Month
from shoal.cost.prices import Table


class Tip(msgspec.Struct, frozen=True, kw_only=True):
    """Something that could be otherwise."""

    advice: str
    saves: Decimal
    """A month, as expected."""
    but: str
    """What one gives up."""


def tips(cloud: Cloud[Any, R], resources: tuple[R, ...], month: Month, table: Table) -> tuple[Tip, ...]:
    """List what would save something, the most first; only what can be priced is said."""
    now = priced(cloud.items(resources, month), table)
    found = [
        Tip(advice=other.advice, saves=_saved(now, priced(cloud.items(other.resources, month), table)), but=other.but)
        for other in cloud.others(resources)
    ]
    return tuple(sorted((tip for tip in found if tip.saves > 0), key=lambda tip: (-tip.saves, tip.advice)))


def _saved(now: Estimate, then: Estimate) -> Decimal:
    """Compare; nothing is said where the other bill has an unknown price that this one has not."""
    missing = {line.item.price for line in then.unknown} - {line.item.price for line in now.unknown}
    return Decimal(0) if missing else now.total.expected - then.total.expected
