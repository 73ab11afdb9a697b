"""What could be otherwise on Google Cloud: one setting changed, everything else alike. Pure."""

from collections.abc import Iterator

import msgspec

from shoal.cost.cloud import Other
from shoal.deploy.cloud.resource import Resource
from shoal.deploy.gcp.resources import Door, Inside, Network, Postgres, Workload


def others(resources: tuple[Resource, ...]) -> Iterator[Other[Resource]]:
    """List what could be otherwise; prices decide what of it is advice."""
    yield Other(
        advice="let services sleep that only answer: least = 0",
        resources=_rested(resources, 0),
        but="the first request after a while waits until an instance has started",
    )
    yield Other(
        advice="one instance at rest: least = 1, and more under load",
        resources=_rested(resources, 1),
        but="a zone that fails is noticed",
    )
    yield Other(
        advice="look at traces in the dashboard alone: collector = ''",
        resources=_changed(resources, Workload, collector=""),
        but="Google's own tools show no traces and metrics",
    )
    yield Other(
        advice="databases without a second copy: protected = false",
        resources=_changed(resources, Postgres, copies=1),
        but="not for production",
    )
    yield Other(
        advice="databases on a shared processor: [engines] postgres = 'db-g1-small'",
        resources=_changed(resources, Postgres, tier="db-g1-small"),
        but="Google promises nothing of them, and they take few connections",
    )
    yield Other(
        advice="no firewall at the balancer: firewall = false",
        resources=_changed(resources, Door, firewall=False),
        but="the door counts no requests of callers",
    )
    yield Other(
        advice="no balancer inside: inside = false",
        resources=tuple(one for one in resources if not isinstance(one, Inside)),
        but="programs in the network that are not here find services by their long addresses",
    )
    yield Other(
        advice="no NAT gateway: gateway = false",
        resources=_changed(resources, Network, gateway=False),
        but="nothing outside of Google is reached",
    )


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
