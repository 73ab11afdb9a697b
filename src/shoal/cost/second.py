"""What a second region costs while it stands by: a group of its own, at the prices of that region. Pure."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import msgspec

from shoal.cost.cloud import SECOND
from shoal.cost.estimate import Item
from shoal.cost.month import Month
from shoal.cost.usage import exactly
from shoal.deploy.cloud.resource import Resource

R = TypeVar("R", bound=Resource)
Counted = Callable[[tuple[R, ...], Month], Iterable[Item]]
"""What a month of resources is billed for."""


def there(found: Iterable[Item], region: str) -> Iterator[Item]:
    """Say of items that they are billed in the second region; what nobody uses there is no line."""
    for item in found:
        if item.amount.high:
            yield msgspec.structs.replace(item, service=SECOND, region=region)


def beside(resources: Iterable[R], month: Month, counted: Counted[R], region: str) -> tuple[Item, ...]:
    """Bill what works, and what waits in the second region there.

    Args:
        resources: Those of both regions.
        month: The month.
        counted: Bills the resources of one region.
        region: The second one; empty where there is none.
    """
    every = tuple(resources)
    here = counted(tuple(one for one in every if not one.waits), month)
    waiting = counted(tuple(one for one in every if one.waits), month)
    return (*here, *there(waiting, region))


def quiet(month: Month) -> Month:
    """Return a month in which nobody asks anything, and as much is kept."""
    nothing = exactly(0)
    usage = msgspec.structs.replace(
        month.usage, requests=nothing, users=nothing, busy=nothing, endpoints={}, services={}
    )
    return Month(month.plan, usage)
