"""The parts of what is made, in order. A new part is a file and a line."""

from collections.abc import Callable, Iterable

import msgspec

from shoal.deploy.gcp import cluster, edge, messages, network, rights, secrets, stores, watch, workloads
from shoal.deploy.gcp.resources import Door, Resource
from shoal.deploy.gcp.scope import Scope

PARTS: tuple[Callable[[Scope], Iterable[Resource]], ...] = (
    network.make,
    secrets.make,
    cluster.make,
    workloads.make,
    stores.make,
    messages.make,
    rights.make,
    edge.make,
    watch.make,
)


def resources(scope: Scope) -> tuple[Resource, ...]:
    """List everything that a system takes; the same scope gives the same list.

    What a second region has waits, but for the door, which leads to the first until it is turned.
    """
    found = (one for part in PARTS for one in part(scope))
    if not scope.passive:
        return tuple(found)
    return tuple(one if isinstance(one, Door) else msgspec.structs.replace(one, waits=True) for one in found)
