"""Advice that follows from a bill: what else it could be, computed, or why it cannot be computed. Pure."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from shoal.cost.cloud import Cloud, R
from shoal.cost.estimate import Estimate, Item, added, cents, priced
from shoal.cost.groups import group_of
from shoal.cost.month import Month
from shoal.cost.prices import Table

_WORKED, _WEEK = Decimal(50), Decimal(168)
"""Hours in which somebody works, five days of ten, and all hours of a week."""

_NO_RUN = "nothing has measured what services do: --usage run"


class Tip(msgspec.Struct, frozen=True, kw_only=True):
    """Something that could be otherwise."""

    advice: str
    saves: Decimal | None
    """A month, as expected; None where it cannot be computed."""
    but: str
    """What one gives up."""
    why: str = ""
    """Why it cannot be computed."""


def tips(cloud: Cloud[Any, R], resources: tuple[R, ...], month: Month, table: Table) -> tuple[Tip, ...]:
    """List what would save something, the most first, then what cannot be computed."""
    items = cloud.items(resources, month)
    now = priced(items, table)
    found = [
        *(
            _otherwise(other.advice, other.but, now, priced(cloud.items(other.resources, month), table))
            for other in cloud.others(resources)
        ),
        *_fitted(cloud, resources, month, now),
        *_reserved(items, now),
        *_nights(now),
        *_idle(now, month),
        *_crossing(now),
        *_images(now),
    ]
    known = [tip for tip in found if tip.saves is not None and tip.saves > 0]
    unknown = [tip for tip in found if tip.saves is None]
    return (*sorted(known, key=lambda tip: (-(tip.saves or 0), tip.advice)), *unknown)


def _otherwise(advice: str, but: str, now: Estimate, then: Estimate) -> Tip:
    """Compare whole bills; there is no number where the other one has an unknown price that this one has not."""
    missing = sorted({line.item.price for line in then.unknown} - {line.item.price for line in now.unknown})
    if missing:
        return Tip(advice=advice, saves=None, but=but, why=f"unknown is the price of {', '.join(missing)}")
    return Tip(advice=advice, saves=now.total.expected - then.total.expected, but=but)


def _fitted(cloud: Cloud[Any, R], resources: tuple[R, ...], month: Month, now: Estimate) -> Iterator[Tip]:
    advice, but = "give services the size that they were measured to need", "less room for peaks that no run has seen"
    if cloud.fitted is None or not month.measured:
        why = _NO_RUN if cloud.fitted is not None else f"sizes of {cloud.title} are not described"
        yield Tip(advice=advice, saves=None, but=but, why=why)
        return
    then = priced(cloud.items(cloud.fitted(resources, month), month), now.table)
    yield _otherwise(advice, but, now, then)


def _reserved(items: tuple[Item, ...], now: Estimate) -> Iterator[Tip]:
    """Reserve what runs at rest, at the price ``KIND.plan...`` of each price ``KIND...``."""
    advice, but = "reserve what runs all month for a year", "it is paid for when it is no longer needed"
    runs = [i for i in items if group_of(i.price) == "compute" and i.price.endswith(".hour") and i.amount.low]
    plans = {item.price: _plan(item.price) for item in runs}
    missing = sorted({plan for plan in plans.values() if plan not in now.table.prices})
    if missing:
        yield Tip(advice=advice, saves=None, but=but, why=f"unknown is the price of {', '.join(missing)}")
        return
    saves = Decimal(0)
    for item in runs:
        price = now.table.prices.get(item.price)
        if price is not None:
            saves += item.amount.low * (price.amount - now.table.prices[plans[item.price]].amount)
    yield Tip(advice=advice, saves=cents(saves), but=but)


def _plan(price: str) -> str:
    kind, _, rest = price.partition(".")
    return f"{kind}.plan.{rest}"


def _nights(now: Estimate) -> Iterator[Tip]:
    """Scale to nothing while nobody works: what stands by the hour is paid for a part of the week."""
    lines = [line for line in now.lines if group_of(line.item.price) == "compute" and line.item.price.endswith(".hour")]
    if lines and all(line.cost is not None for line in lines):
        yield Tip(
            advice=f"scale to nothing out of hours: {_WORKED} of {_WEEK} hours a week are left",
            saves=cents(added(lines).low * (_WEEK - _WORKED) / _WEEK),
            but="for environments that nobody is served by; events and schedules wait",
        )


def _idle(now: Estimate, month: Month) -> Iterator[Tip]:
    """Name services whose engines nobody asked for anything while they were measured."""
    if not month.measured:
        yield Tip(advice="end databases that nobody asks", saves=None, but="what they hold", why=_NO_RUN)
        return
    for service in now.services:
        work = month.usage.services.get(service)
        lines = [line for line in now.of(service) if group_of(line.item.price) == "data"]
        if work is not None and work.engines is not None and not work.engines and lines:
            yield Tip(
                advice=f"end the engines of {service}, which nobody asked for anything while it was measured",
                saves=added(lines).expected,
                but="what they hold; a longer run may see it otherwise",
            )


def _crossing(now: Estimate) -> Iterator[Tip]:
    """Name the service whose calls carry most from zone to zone."""
    lines = [line for line in now.lines if line.item.price == "zones.gb" and line.cost is not None]
    most = max(lines, key=lambda line: line.item.amount.expected, default=None)
    if most is not None:
        yield Tip(
            advice=f"let calls stay in their zone, those of {most.item.service} first",
            saves=added(lines).expected,
            but="a zone may be busier than another",
        )


def _images(now: Estimate) -> Iterator[Tip]:
    lines = [line for line in now.lines if line.item.component == "images"]
    if lines:
        yield Tip(
            advice="halve the images: a smaller base, and layers that services share",
            saves=cents(added(lines).expected / 2),
            but="tools that are missed while one looks for a fault; tasks also start sooner",
        )
