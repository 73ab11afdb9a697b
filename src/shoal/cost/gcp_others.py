"""What could be otherwise on Google Cloud: one setting changed, everything else alike. Pure."""

from collections.abc import Iterator
from decimal import ROUND_CEILING

import msgspec

from shoal.cost.cloud import Other
from shoal.cost.month import ROOM, Month
from shoal.deploy.gcp.resources import Door, Inside, Network, Postgres, Resource, Workload
from shoal.deploy.gcp.settings import Size


def others(resources: tuple[Resource, ...]) -> Iterator[Other[Resource]]:
    """List what could be otherwise; prices decide what of it is advice."""
    inside = tuple(one for one in resources if not isinstance(one, Inside))
    for advice, made, but in (
        (
            "let services sleep that only answer: least = 0", _rested(resources, 0),
            "the first request after a while waits until an instance has started",
        ),
        (
            "one instance at rest: least = 1, and more under load", _rested(resources, 1),
            "a zone that fails is noticed",
        ),
        (
            "look at traces in the dashboard alone: collector = ''", _changed(resources, Workload, collector=""),
            "Google's own tools show no traces and metrics",
        ),
        (
            "databases without a second copy: protected = false", _changed(resources, Postgres, copies=1),
            "not for production",
        ),
        (
            "databases on a shared processor: [engines] postgres = 'db-g1-small'",
            _changed(resources, Postgres, tier="db-g1-small"),
            "Google promises nothing of them, and they take few connections",
        ),
        (
            "no firewall at the balancer: firewall = false", _changed(resources, Door, firewall=False),
            "the door counts no requests of callers",
        ),
        (
            "no balancer inside: inside = false", inside,
            "programs in the network that are not here find services by their long addresses",
        ),
        (
            "no NAT gateway: gateway = false", _changed(resources, Network, gateway=False),
            "nothing outside of Google is reached",
        ),
    ):  # fmt: skip
        yield Other(advice=advice, resources=made, but=but)


def fitted(resources: tuple[Resource, ...], month: Month) -> tuple[Resource, ...]:
    """Take for each service the smallest instance with room: half as much memory again as it held at most."""
    return tuple(_fitting(one, month) if isinstance(one, Workload) else one for one in resources)


def _fitting(one: Workload, month: Month) -> Workload:
    held = month.held(one.service)
    if held is None:
        return one
    size = Size(cpu=1, memory=max(1, int((held * ROOM).to_integral_value(ROUND_CEILING))))
    smaller = (size.processors, size.mebibytes) < (one.processors, one.memory)
    return msgspec.structs.replace(one, processors=size.processors, memory=size.mebibytes) if smaller else one


def _rested(resources: tuple[Resource, ...], least: int) -> tuple[Resource, ...]:
    """Let each have fewer instances at rest; who works by itself keeps one."""
    return tuple(
        msgspec.structs.replace(one, least=min(one.least, max(least, int(one.always))))
        if isinstance(one, Workload)
        else one
        for one in resources
    )


def _changed(resources: tuple[Resource, ...], kind: type[Resource], **fields: object) -> tuple[Resource, ...]:
    return tuple(msgspec.structs.replace(one, **fields) if isinstance(one, kind) else one for one in resources)
