"""The parts of what is made, in order. A new part is a file and a line."""

from collections.abc import Callable, Iterable

from shoal.deploy.gcp import cluster, edge, messages, network, rights, secrets, stores, watch, workloads
from shoal.deploy.gcp.resources import Resource
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
    """List everything that a system takes; the same scope gives the same list."""
    return tuple(one for part in PARTS for one in part(scope))
