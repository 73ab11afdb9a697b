"""Real traffic beside poison, and without it: how much longer do neighbours take?"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from statistics import quantiles

import msgspec

from shoal.audit import Outcome
from shoal.audit.evidence import Reading
from shoal.audit.subject import Letter
from shop.orders.records import Order
from tests.torture.clients import Crowd
from tests.torture.faults import Field
from tests.torture.letters import letters
from tests.torture.poison import KINDS, brew, plant

EVENTS_OF_AN_ORDER = 6
"""Placed, captured, reserved, confirmed, and what read models and returns add."""

SHARE = 0.01
"""Poison among all events."""

PACE = 0.06
"""Seconds between two orders: about half of what two cores can do."""

LAST_LETTER = 600.0
"""Seconds within which the last of the poison is given up: what a newer version may know is waited for."""


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """What poison did to its neighbours."""

    orders: int
    """Of each of the four parts: clean, poisoned, poisoned, clean."""
    planted: int
    letters: int
    """Dead letters that it should become, one for each service that heard it."""
    kinds: tuple[str, ...]
    clean: tuple[float, float]
    """Median and 95th percentile of the seconds from an order to its confirmation, without poison."""
    poisoned: tuple[float, float]
    """The same, with poison."""
    letters_seconds: float
    """From the last order until the last letter."""
    outcomes: tuple[Outcome, ...]

    @property
    def held(self) -> bool:
        """Whether no promise was violated."""
        return not any(outcome.violations for outcome in self.outcomes)

    @property
    def ratios(self) -> tuple[float, float]:
        """Poisoned to clean, of the median and of the 95th percentile."""
        return self.poisoned[0] / self.clean[0], self.poisoned[1] / self.clean[1]


async def beside(field: Field, crowd: Crowd, orders: int) -> Beside:
    """Let customers order with and without poison, in an order that cancels a drift of the machine out."""
    before = await letters(field)
    planted: set[Letter] = set()
    clean: list[float] = []
    poisoned: list[float] = []
    count = 0
    for is_poisoned in (False, True, True, False):
        first = len(crowd.operations)
        async with asyncio.TaskGroup() as group:
            group.create_task(crowd.order(orders, orders * PACE))
            if is_poisoned:
                task = group.create_task(_keep_planting(field, orders))
        if is_poisoned:
            new = task.result()
            count += len(new)
            planted |= frozenset[Letter]().union(*new)
        (poisoned if is_poisoned else clean).extend(await _delays(field, crowd, first))
    began = time.monotonic()
    await _all_buried(field, frozenset(planted))
    waited = time.monotonic() - began
    report = await field.shop.audit(wait=60, expected=before | planted, operations=crowd.operations)
    return Beside(
        orders=orders,
        planted=count,
        letters=len(planted),
        kinds=tuple(KINDS),
        clean=_spread(clean),
        poisoned=_spread(poisoned),
        letters_seconds=round(waited, 1),
        outcomes=report.outcomes,
    )


async def _keep_planting(field: Field, orders: int) -> list[frozenset[Letter]]:
    """Plant all kinds in turn, spread over the time of the orders."""
    assert field.subject.broker is not None
    count = max(len(KINDS), round(orders * EVENTS_OF_AN_ORDER * SHARE))
    letters = []
    for number in range(count):
        poison = brew(field.subject.plan.system, [*KINDS][number % len(KINDS)])
        await plant(field.subject.broker, [poison])
        letters.append(poison.letters)
        await asyncio.sleep(orders * PACE / count)
    return letters


async def _delays(field: Field, crowd: Crowd, first: int) -> list[float]:
    """Wait for rest of what was ordered since `first`, and measure how long each took to be confirmed."""
    ours = {o.body["order_id"] for o in crowd.operations[first:] if o.status == 201}
    async with asyncio.timeout(120):
        while True:
            found = [o for o in await Reading(replace(field.subject)).records("orders", Order) if o.order_id in ours]
            if all(order.status not in ("PENDING", "PAID") for order in found):
                break
            await asyncio.sleep(0.5)
    return [(o.updated_at - o.placed_at).total_seconds() for o in found if o.status == "CONFIRMED"]


async def _all_buried(field: Field, planted: frozenset[Letter]) -> None:
    async with asyncio.timeout(LAST_LETTER):
        while planted - await letters(field):  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(2)


def _spread(seconds: Sequence[float]) -> tuple[float, float]:
    parts = quantiles(seconds, n=100, method="inclusive")
    return round(parts[49], 4), round(parts[94], 4)
