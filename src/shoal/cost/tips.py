"""Advice that follows from a bill: what else it could be, computed. Pure."""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from shoal.cost.aws import Month, items
from shoal.cost.estimate import Estimate, priced
from shoal.cost.prices import Table
from shoal.deploy.aws.resources import Network, Postgres, Resource, Workload


class Tip(msgspec.Struct, frozen=True, kw_only=True):
    """Something that could be otherwise."""

    advice: str
    saves: Decimal
    """A month, as expected."""
    but: str
    """What one gives up."""


def tips(resources: tuple[Resource, ...], month: Month, table: Table) -> tuple[Tip, ...]:
    """List what would save something, the most first; only what can be priced is said."""
    now = priced(items(resources, month), table)
    found = [
        Tip(advice=advice, saves=_saved(now, other, month, table), but=but) for advice, other, but in _others(resources)
    ]
    return tuple(sorted((tip for tip in found if tip.saves > 0), key=lambda tip: (-tip.saves, tip.advice)))


def _saved(now: Estimate, other: tuple[Resource, ...], month: Month, table: Table) -> Decimal:
    """Compare; nothing is said where the other bill has an unknown price that this one has not."""
    then = priced(items(other, month), table)
    missing = {line.item.price for line in then.unknown} - {line.item.price for line in now.unknown}
    return Decimal(0) if missing else now.total.expected - then.total.expected


def _others(resources: tuple[Resource, ...]) -> Iterator[tuple[str, tuple[Resource, ...], str]]:
    yield (
        "run on ARM: architecture = 'ARM64'",
        _changed(resources, Workload, architecture="ARM64"),
        "images are built for it",
    )
    yield (
        "run what may stop on spare capacity: spot = true",
        _changed(resources, Workload, spot=True),
        "tasks may be taken away within two minutes, all at once",
    )
    yield (
        "start smaller: cpu = 256, memory = 512, and look at the metrics",
        _changed(resources, Workload, cpu=256, memory=512),
        "less room for peaks",
    )
    yield (
        "one task at rest: least = 1, and more under load",
        _changed(resources, Workload, least=1),
        "a zone that fails is noticed",
    )
    yield (
        "one NAT gateway: gateways = 1",
        _changed(resources, Network, gateways=1),
        "a zone that fails takes the way out",
    )
    yield (
        "reach AWS by the gateways: endpoints = false",
        _changed(resources, Network, endpoints=()),
        "images and events leave the network, and are billed by their bytes",
    )
    yield (
        "databases without a second copy: protected = false",
        _changed(resources, Postgres, copies=1),
        "not for production",
    )


def _changed(resources: tuple[Resource, ...], kind: type[Resource], **fields: object) -> tuple[Resource, ...]:
    return tuple(
        msgspec.structs.replace(one, **fields) if isinstance(one, kind) and _less(one, fields) else one
        for one in resources
    )


def _less(one: Resource, fields: dict[str, object]) -> bool:
    """Tell whether a change of numbers makes nothing larger."""
    return all(
        not isinstance(value, int) or isinstance(value, bool) or getattr(one, name) >= value
        for name, value in fields.items()
    )
