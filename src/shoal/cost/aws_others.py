"""What could be otherwise on AWS: one setting changed, everything else alike. Pure."""

from collections.abc import Iterator

import msgspec

from shoal.cost.cloud import Other
from shoal.cost.month import ROOM, Month
from shoal.deploy.aws.resources import Network, Postgres, Workload
from shoal.deploy.aws.settings import CPUS
from shoal.deploy.cloud.resource import Resource


def others(resources: tuple[Resource, ...]) -> Iterator[Other[Resource]]:
    """List what could be otherwise; prices decide what of it is advice."""
    yield Other(
        advice="run on ARM: architecture = 'ARM64'",
        resources=_changed(resources, Workload, architecture="ARM64"),
        but="images are built for it",
    )
    yield Other(
        advice="run what may stop on spare capacity: spot = true",
        resources=_changed(resources, Workload, spot=True),
        but="tasks may be taken away within two minutes, all at once",
    )
    yield Other(
        advice="fewer tasks at rest: least = 1, and more under load",
        resources=_changed(resources, Workload, least=1),
        but="a zone that fails is noticed",
    )
    yield Other(
        advice="one NAT gateway: gateways = 1",
        resources=_changed(resources, Network, gateways=1),
        but="a zone that fails takes the way out",
    )
    yield Other(
        advice="reach AWS by the gateways: endpoints = false",
        resources=_changed(resources, Network, endpoints=()),
        but="images and events leave the network, and are billed by their bytes",
    )
    yield Other(
        advice="databases without a second copy: protected = false",
        resources=_changed(resources, Postgres, copies=1),
        but="not for production",
    )


def fitted(resources: tuple[Resource, ...], month: Month) -> tuple[Resource, ...]:
    """Take for each service the smallest task in which it has room: half as much memory again as it held at most."""
    return tuple(_fitting(one, month) if isinstance(one, Workload) else one for one in resources)


def _fitting(one: Workload, month: Month) -> Workload:
    held = month.held(one.service)
    sizes = (
        (cpu, memory) for cpu, some in CPUS.items() for memory in some if held is not None and memory >= held * ROOM
    )
    cpu, memory = min(sizes, default=(one.cpu, one.memory))
    smaller = (cpu, memory) < (one.cpu, one.memory)
    return msgspec.structs.replace(one, cpu=cpu, memory=memory) if smaller else one


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
