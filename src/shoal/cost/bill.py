"""A bill with all that follows from it: what each operation costs, advice, and what is to be known of it. Pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from shoal.cost.cloud import Cloud, R
from shoal.cost.endpoints import per_thousand
from shoal.cost.estimate import Estimate, of_one_more, priced
from shoal.cost.month import Month
from shoal.cost.prices import Table
from shoal.cost.tips import Tip, tips
from shoal.cost.usage import Range, Usage


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """What a month of one system on one cloud costs."""

    estimate: Estimate
    requests: Range
    usage: Usage
    operations: Mapping[str, Decimal]
    """What a thousand more requests of each cost, the dearest first; empty where nothing of it has a price."""
    tips: tuple[Tip, ...]
    told: tuple[str, ...] = ()
    """What is to be known besides, such as what a run measured."""


def bill(cloud: Cloud[Any, R], resources: tuple[R, ...], month: Month, table: Table, told: Sequence[str] = ()) -> Bill:
    """Price resources, operations and advice."""
    estimate = priced(cloud.items(resources, month), table)
    known = of_one_more(estimate, month.requests) is not None
    return Bill(
        estimate=estimate,
        requests=month.requests,
        usage=month.usage,
        operations=per_thousand(cloud, resources, month, table) if known else {},
        tips=tips(cloud, resources, month, table),
        told=tuple(told),
    )
