"""What keeps a first region from doing harm that comes back by itself after the second has taken over. Pure.

Tables and objects are copied both ways, and secrets, images and roles are of the account: so what the first region's
services may do is taken from them by whoever has taken over, and nothing of that region has to answer for it.
"""

from collections.abc import Iterator

from shoal.deploy.aws import naming
from shoal.deploy.aws.resources import Fence, Resource
from shoal.deploy.aws.rights import start
from shoal.deploy.aws.scope import Scope


def make(scope: Scope) -> Iterator[Resource]:
    """Fence the services of the first region, and whoever starts them."""
    if scope.passive:
        first = scope.origin()
        owners = (name for service in scope.plan.services for name in (service.name, start(service.name)))
        roles = tuple(first.named(name, limit=naming.ROLE) for name in owners)
        why = (
            "While this region works, tasks of the first one that are there again read no secret, begin no other task, "
            "and write nothing that is copied to here. What they log is still kept."
        )
        yield Fence(name="first", roles=roles, why=why)
