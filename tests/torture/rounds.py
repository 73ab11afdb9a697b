"""One round: customers order, faults happen at drawn times, everything comes to rest, the audit counts."""

import asyncio
import random
import time
from collections.abc import Iterable, Sequence

import msgspec

from shoal.audit import Outcome
from shoal.audit.subject import Letter
from tests.torture import processes
from tests.torture.clients import Crowd
from tests.torture.faults import Field, strike

DRAIN = 120.0
"""Seconds that events may take to arrive after the last order."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a round is to be."""

    number: int
    shop: int = 1
    """Which shop it happens to."""
    seed: int
    orders: int
    seconds: float
    """How long customers order."""
    faults: tuple[str, ...]
    after: float = 0.0
    """Seconds before which nothing happens."""


class Blow(msgspec.Struct, frozen=True, kw_only=True):
    """A fault that happened."""

    at: float
    """Seconds after the first order."""
    fault: str
    victim: str


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a round."""

    number: int
    shop: int
    """Which shop it happened to; counts are of that shop since its opening."""
    seed: int
    blows: tuple[Blow, ...]
    orders: int
    acknowledged: int
    indeterminate: int
    refused: int
    requests: int
    """Attempts of all its customers."""
    load_seconds: float
    rest_seconds: float
    """From the last order until nothing was in flight."""
    audit_seconds: float
    outcomes: tuple[Outcome, ...]

    @property
    def held(self) -> bool:
        """Whether no promise was violated."""
        return not self.complaints()

    def complaints(self) -> tuple[str, ...]:
        """List the named violations."""
        return tuple(f"{o.code} {text}" for o in self.outcomes for text in o.violations)


async def play(plan: Plan, crowd: Crowd, field: Field, dead: Iterable[Letter] = ()) -> Round:
    """Play a round to its end; `dead` are the dead letters that there may be."""
    before, asked = len(crowd.operations), crowd.requests
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        ordering = group.create_task(crowd.order(plan.orders, plan.seconds))
        striking = [group.create_task(_strike(field, name, at)) for name, at in _times(plan)]
    del ordering
    loaded = time.monotonic()
    await processes.all_ready(field.shop)
    report = await field.shop.audit(wait=DRAIN, expected=dead, operations=crowd.operations)
    statuses = [operation.status for operation in crowd.operations[before:]]
    return Round(
        number=plan.number,
        shop=plan.shop,
        seed=plan.seed,
        blows=tuple(sorted((task.result() for task in striking), key=lambda blow: blow.at)),
        orders=len(statuses),
        acknowledged=sum(status == 201 for status in statuses),
        indeterminate=statuses.count(0),
        refused=sum(status >= 400 for status in statuses),
        requests=crowd.requests - asked,
        load_seconds=round(loaded - began, 1),
        rest_seconds=round(time.monotonic() - loaded - report.seconds, 1),
        audit_seconds=report.seconds,
        outcomes=report.outcomes,
    )


def _times(plan: Plan) -> Sequence[tuple[str, float]]:
    """Draw when each fault happens, uniformly within the round."""
    chance = random.Random(f"{plan.seed}/times/{plan.number}")  # noqa: S311 - repeatable
    return [(name, chance.uniform(plan.after, plan.seconds)) for name in plan.faults]


async def _strike(field: Field, name: str, at: float) -> Blow:
    began = time.monotonic()
    await asyncio.sleep(at)
    victim = await strike(field, name)
    return Blow(at=round(time.monotonic() - began, 2), fault=name, victim=victim)
