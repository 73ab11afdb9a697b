"""What each operation costs: how much more a month is when it is asked a thousand times more. Pure.

All operations are asked more at once, and what that adds to each service is divided among those that reach it: the bill
is made twice, however many operations there are.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from shoal.cost.cloud import Cloud, R
from shoal.cost.estimate import Item
from shoal.cost.month import Month
from shoal.cost.prices import Table
from shoal.cost.usage import exactly

_MORE = 1000


def per_thousand(cloud: Cloud[Any, R], resources: tuple[R, ...], month: Month, table: Table) -> Mapping[str, Decimal]:
    """Say what a thousand further requests of each operation cost, the dearest first.

    Tasks are among it only where their processors are known.
    """
    if not month.endpoints:
        return {}
    more = {key: asked + exactly(_MORE) for key, asked in month.endpoints.items()}
    whole = month.requests + exactly(_MORE * len(more))
    usages = [
        msgspec.structs.replace(month.usage, endpoints=endpoints, requests=requests)
        for endpoints, requests in ((month.endpoints, month.requests), (more, whole))
    ]
    before, after = (_costs(cloud.items(resources, Month(month.plan, usage)), table) for usage in usages)
    added = {service: cost - before.get(service, Decimal(0)) for service, cost in after.items()}
    each = _by_service(added, month)
    found = {f"{route.method} {route.path}": each[route.service] for route in month.plan.routes}
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _costs(items: Iterable[Item], table: Table) -> Mapping[str, Decimal]:
    """Add what is expected of each service, without rounding."""
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for item in items:
        price = table.prices.get(item.price)
        if price is not None:
            found[item.service] += item.amount.expected * price.amount
    return found


def _by_service(added: Mapping[str, Decimal], month: Month) -> Mapping[str, Decimal]:
    """Divide what was added: what a service does among the operations that reach it, all else among all alike."""
    doors = Counter(route.service for route in month.plan.routes)
    calls = {one.name: {call.service for call in one.calls} for one in month.plan.services}
    reach = Counter(doors)
    for caller, called in calls.items():
        for service in called:
            reach[service] += doors[caller]
    measured = {name for name, work in month.usage.services.items() if work.asked is not None}
    own = {name for name in reach if reach[name] and name not in measured}
    alike = sum((cost for name, cost in added.items() if name not in own), Decimal(0)) / doors.total()
    shares = {name: added.get(name, Decimal(0)) / reach[name] for name in own}
    return {
        service: alike + sum((shares.get(one, Decimal(0)) for one in (service, *calls.get(service, ()))), Decimal(0))
        for service in doors
    }
