"""The parts of what is made, in order. A new part is a file and a line."""

from collections.abc import Callable, Iterable

import msgspec

from shoal.deploy.azure import cluster, edge, mail, messages, network, rights, secrets, stores, watch, workloads
from shoal.deploy.azure.scope import Scope
from shoal.deploy.cloud.resource import Resource

PARTS: tuple[Callable[[Scope], Iterable[Resource]], ...] = (
    network.make,
    secrets.make,
    workloads.make,
    cluster.make,
    stores.make,
    messages.make,
    mail.make,
    rights.make,
    edge.make,
    watch.make,
)


def resources(scope: Scope) -> tuple[Resource, ...]:
    """List everything that a system takes; the same scope gives the same list."""
    found = (one for part in PARTS for one in part(scope))
    return tuple(msgspec.structs.replace(one, waits=True) if scope.passive else one for one in found)
