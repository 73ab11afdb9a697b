"""What a second region has of the first: copies, which the first makes there, and which the second looks up. Pure.

The first region makes the copies, since it can copy nothing into what is not there; the second makes all that runs, and
the databases that follow those of the first until it takes over.
"""

from collections.abc import Iterator
from typing import TypeVar

import msgspec

from shoal.deploy.aws.resources import Bucket, Copied, Copying, Images, Key, Password, Repository, Resource, Secret
from shoal.deploy.aws.scope import Scope
from shoal.deploy.cloud.settings import STANDBY
from shoal.deploy.cloud.values import Ref

C = TypeVar("C", bound=Copied)


def make(scope: Scope) -> Iterator[Resource]:
    """Make the copying of images."""
    if scope.environment.standby is not None:
        why = "An account has one such rule in a region; this one is for the images of this system."
        yield Images(name="main", to=scope.environment.standby.region, why=why)


def placed(scope: Scope, one: Resource) -> Iterator[Resource]:
    """Say of a resource where it is: here, here and in a second region, or there alone."""
    other = scope.environment.standby
    if not isinstance(one, Copied) or not _copied(one):
        yield one
    elif scope.passive:
        yield msgspec.structs.replace(one, place="given")
    elif other is None:
        yield one
    else:
        yield msgspec.structs.replace(one, to=other.region)
        yield from _beside(one, other.region)


def _copied(one: Copied) -> bool:
    """Tell whether a second region has a copy; what leads to engines there, and what they know, is its own."""
    if isinstance(one, Secret):
        return one.text is None and not one.regional
    return one.stored if isinstance(one, Password) else True


def _beside(one: Copied, region: str) -> Iterator[Resource]:
    """Make the copies that do not come into being by themselves."""
    if isinstance(one, Key):
        yield _abroad(one, of=one.name if one.lasting else "")
    elif isinstance(one, Repository):
        yield _abroad(one, image=one.name)
    elif isinstance(one, Bucket):
        yield _abroad(one)
        yield Copying(name=one.name, service=one.service)
    elif isinstance(one, Password):
        yield Secret(
            name=held(one),
            service=one.service,
            text=Ref("password", one.name, "result"),
            purpose="The password that the database has in both regions.",
            to=region,
        )


def held(one: Password) -> str:
    """Name the secret that has a password of a database for the second region."""
    return f"{one.service}/{one.name.removeprefix(f'{one.service}-')}-password"


def _abroad(one: C, **more: str) -> C:
    return msgspec.structs.replace(one, name=f"{one.name}-{STANDBY}", place="abroad", **more)
