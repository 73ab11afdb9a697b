"""The parts of what is made, in order. A new part is a file and a line."""

from collections.abc import Callable, Iterable

import msgspec

from shoal.deploy.aws import (
    copies,
    edge,
    eks,
    fence,
    forward,
    mail,
    messages,
    network,
    rights,
    secrets,
    stores,
    watch,
    workloads,
)
from shoal.deploy.aws.resources import Resource
from shoal.deploy.aws.scope import Scope

PARTS: tuple[Callable[[Scope], Iterable[Resource]], ...] = (
    network.make,
    secrets.make,
    workloads.make,
    eks.make,
    stores.make,
    messages.make,
    forward.make,
    mail.make,
    rights.make,
    fence.make,
    edge.make,
    watch.make,
    copies.make,
)


def resources(scope: Scope) -> tuple[Resource, ...]:
    """List everything that a system takes; the same scope gives the same list."""
    found = (each for part in PARTS for one in part(scope) for each in copies.placed(scope, one))
    return tuple(msgspec.structs.replace(one, waits=True) if scope.passive else one for one in found)
