"""What could be otherwise on Azure: one setting changed, everything else alike. Pure."""

from collections.abc import Iterator
from decimal import ROUND_CEILING

import msgspec

from shoal.cost.cloud import Other
from shoal.cost.month import ROOM, Month
from shoal.deploy.azure.resources import Bus, Cache, Door, Endpoint, Postgres, Registry, Workload, Zone
from shoal.deploy.azure.settings import LARGEST, SHARE, STEP
from shoal.deploy.cloud.resource import Resource


def others(resources: tuple[Resource, ...]) -> Iterator[Other[Resource]]:
    """List what could be otherwise; prices decide what of it is advice."""
    inside = tuple(one for one in resources if not (isinstance(one, Endpoint | Zone) and one.name in _PREMIUM))
    for advice, made, but in (
        (
            "one replica at rest: least = 1, and more under load", _rested(resources),
            "a zone that fails is noticed",
        ),
        (
            "databases without a second copy: protected = false", _changed(resources, Postgres, copies=1),
            "not for production",
        ),
        (
            "burstable databases: [engines] postgres = 'B_Standard_B2s'",
            _changed(resources, Postgres, size="B_Standard_B2s", copies=1),
            "they have no second copy, and slow down when they are asked for long",
        ),
        (
            "a cache without a second copy: protected = false", _changed(resources, Cache, copies=1),
            "what is in it is gone with its machine",
        ),
        (
            "a gateway for developers: gateway = 'Developer_1'", _changed(resources, Door, tier="Developer_1"),
            "Microsoft promises nothing of it, and it is one machine",
        ),
        (
            "Service Bus with an address outside: [engines] servicebus = 'Standard'",
            _changed(inside, Bus, tier="Standard"), "identities alone keep others out, and messages have 256 KB",
        ),
        (
            "a registry with an address outside: [engines] registry = 'Standard'",
            _changed(inside, Registry, tier="Standard"), "identities alone keep others out",
        ),
    ):  # fmt: skip
        if not (_copied(resources) and advice.startswith(_ALONE)):
            yield Other(advice=advice, resources=made, but=but)


_PREMIUM = ("bus", "registry")
_ALONE = ("burstable databases", "a registry with an address outside")
"""What nobody can have who has a second region."""


def _copied(resources: tuple[Resource, ...]) -> bool:
    return any(isinstance(one, Registry) and one.copied for one in resources)


def fitted(resources: tuple[Resource, ...], month: Month) -> tuple[Resource, ...]:
    """Take for each service the smallest size with room: half as much memory again as it held at most."""
    return tuple(_fitting(one, month) if isinstance(one, Workload) else one for one in resources)


def _fitting(one: Workload, month: Month) -> Workload:
    held = month.held(one.service)
    if held is None:
        return one
    wanted = int((held * ROOM).to_integral_value(ROUND_CEILING))
    cpu = next((size for size in range(STEP, LARGEST + 1, STEP) if SHARE * size >= wanted), LARGEST)
    return msgspec.structs.replace(one, cpu=cpu, memory=SHARE * cpu) if cpu < one.cpu else one


def _rested(resources: tuple[Resource, ...]) -> tuple[Resource, ...]:
    return tuple(
        msgspec.structs.replace(one, least=1) if isinstance(one, Workload) and one.least > 1 else one
        for one in resources
    )


def _changed(resources: tuple[Resource, ...], kind: type[Resource], **fields: object) -> tuple[Resource, ...]:
    return tuple(msgspec.structs.replace(one, **fields) if isinstance(one, kind) else one for one in resources)
