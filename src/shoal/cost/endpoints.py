"""What each operation costs: how much more a month is when it is asked a million times more. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from shoal.cost.cloud import Cloud, R
from shoal.cost.estimate import priced
from shoal.cost.month import Month
from shoal.cost.prices import Table
from shoal.cost.usage import exactly

_MORE = 1_000_000


def per_thousand(cloud: Cloud[Any, R], resources: tuple[R, ...], month: Month, table: Table) -> Mapping[str, Decimal]:
    """Say what a thousand further requests of each operation cost, the dearest first; tasks are not among it."""
    named = month.endpoints
    usage = msgspec.structs.replace(month.usage, endpoints=dict(named), requests=month.requests)
    now = priced(cloud.items(resources, Month(month.plan, usage)), table).total.expected
    found = {}
    for key, asked in named.items():
        more = msgspec.structs.replace(
            usage, endpoints={**named, key: asked + exactly(_MORE)}, requests=usage.requests + exactly(_MORE)
        )
        then = priced(cloud.items(resources, Month(month.plan, more)), table).total.expected
        found[key] = (then - now) * 1000 / _MORE
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))
