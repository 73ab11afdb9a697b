"""What a second region costs while it stands by: a group of its own, at the prices of that region. Pure."""

from collections.abc import Iterable, Iterator

import msgspec

from shoal.cost.cloud import SECOND
from shoal.cost.estimate import Item
from shoal.cost.month import Month
from shoal.cost.usage import exactly


def there(found: Iterable[Item], region: str) -> Iterator[Item]:
    """Say of items that they are billed in the second region; what nobody uses there is no line."""
    for item in found:
        if item.amount.high:
            yield msgspec.structs.replace(item, service=SECOND, region=region)


def quiet(month: Month) -> Month:
    """Return a month in which nobody asks anything, and as much is kept."""
    nothing = exactly(0)
    usage = msgspec.structs.replace(
        month.usage, requests=nothing, users=nothing, busy=nothing, endpoints={}, services={}
    )
    return Month(month.plan, usage)
