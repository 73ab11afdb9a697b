"""Where a system is to run, and with what."""

from typing import Literal

import msgspec

from shoal.errors import DeclarationError
from shoal.model import catalog
from shoal.model.data import Data
from shoal.model.legacy import Turn
from shoal.model.rollout import Split

Shape = Literal["processes", "one-process", "memory"]

Mesh = Literal["shared", "sidecars", "off"]
"""Who carries calls between services: one proxy for all, one for each, or nobody."""


HERE = "local"
"""Name of the target of one machine, where a stand-in may be all that there is of an engine."""


class Target(Data, frozen=True, kw_only=True):
    """One environment: its shape, engines and sizes."""

    name: str = HERE
    shape: Shape = "processes"
    """``processes``: one per replica, each behind Envoy. ``one-process``: all services in one, on real engines.
    ``memory``: all services in one, on the reference drivers."""
    mesh: Mesh = "shared"
    """Where there are processes: who carries calls between them."""
    store: str = "postgres"
    """Engine of every store that declares no other."""
    broker: str = "nats"
    stores: dict[str, str] = msgspec.field(default_factory=dict)
    """Engines of stores by service, where it is not the one that the service declares."""
    objects: dict[str, str] = msgspec.field(default_factory=dict)
    """Engines of objects by service, likewise."""
    searches: dict[str, str] = msgspec.field(default_factory=dict)
    """Engines of indexes by service, likewise."""
    warehouses: dict[str, str] = msgspec.field(default_factory=dict)
    """Engines of warehouses by service, likewise."""
    cache: str = ""
    """Engine of every cache; where nothing is said, the one that its service declares."""
    replicas: dict[str, int] = msgspec.field(default_factory=dict)
    """Replicas by service; 1 where nothing is said."""
    zones: tuple[str, ...] = ("local",)
    """Zones over which replicas are spread in turn; the first is that of the proxy where there is only one."""
    splits: dict[str, Split] = msgspec.field(default_factory=dict)
    """Second versions by service; one version gets everything where nothing is said."""
    turns: dict[str, Turn] = msgspec.field(default_factory=dict)
    """Where routes of old applications stand, by name; where they are declared to begin when nothing is said."""
    port: int = 0
    """Port of the gateway; 0 takes the system's own."""
    tls: bool = False
    """Whether the gateway serves TLS, also where the system does not say so."""
    faults: bool = False
    """Whether `shoal fault` may strike here; each request then passes filters that ask whether it is struck."""

    def __post_init__(self) -> None:
        """Refuse engines, sizes and ports that cannot be."""
        catalog.engine(self.store, kind="store")
        catalog.engine(self.broker, kind="broker")
        for engine in self.stores.values():
            catalog.engine(engine, kind="store")
        for engine in self.objects.values():
            catalog.engine(engine, kind="objects")
        for engine in self.searches.values():
            catalog.engine(engine, kind="search")
        for engine in self.warehouses.values():
            catalog.engine(engine, kind="warehouse")
        if self.cache:
            catalog.engine(self.cache, kind="cache")
        if not self.zones or not all(self.zones) or len(set(self.zones)) < len(self.zones):
            raise DeclarationError(f"zones {self.zones!r}", hint="name at least one, each once")
        for service, count in self.replicas.items():
            if not 1 <= count <= 64:
                raise DeclarationError(f"{count} replicas of {service}", hint="ask for 1 to 64")
        if not 0 <= self.port <= 65535:
            raise DeclarationError(f"{self.port} is no port", hint="use 1 to 65535")


LOCAL = Target(faults=True)
"""One process per replica, on real engines."""

ONE_PROCESS = Target(shape="one-process", cache="memory-cache")
"""All services in one process, on real engines but for the cache, which nobody else would share."""

MEMORY = Target(name="memory", shape="memory", store="memory", broker="memory-bus", cache="memory-cache")
"""All services in one process, on the reference drivers; starts in milliseconds and keeps nothing."""


def with_options(
    target: Target,
    *,
    replicas: dict[str, int] | None = None,
    port: int = 0,
    tls: bool = False,
    mesh: Mesh | None = None,
) -> Target:
    """Return `target` with other sizes and another door; what is not given stays as it is."""
    return msgspec.structs.replace(
        target,
        replicas=replicas or target.replicas,
        port=port or target.port,
        tls=tls or target.tls,
        mesh=mesh or target.mesh,
    )
