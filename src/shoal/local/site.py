"""A plan on this machine, and what was decided about the machine."""

from collections.abc import Mapping
from dataclasses import dataclass

from shoal.local.layout import Layout
from shoal.local.secrets import Passwords, SigningKey
from shoal.mesh.layout import Layout as MeshLayout
from shoal.model.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What was decided about this machine before anything started."""

    passwords: Passwords
    key: SigningKey | None
    postgres: str
    """Folder of PostgreSQL's socket."""
    ports: Mapping[str, int]
    """Loopback ports, by the names that servers give them."""
    externals: Mapping[str, str]
    """External → address of its stand-in."""
    outbound: Mapping[str, str]
    """Service → socket of its outbound listener; empty when calls stay in the process."""
    drain: float = 10.0
    broker: str = "nats"
    """Engine of the broker."""
    broker_url: str = ""
    """Address of a broker that runs elsewhere; empty where it runs here."""
    valkey: str = ""
    """Socket of Valkey."""
    telemetry: str = ""
    """Base URL that takes the services' telemetry; empty where none is sent."""
    root: str = ""
    """Folder of the project, where issuers' files of keys lie."""
    key_set: str = ""
    """File of what verifies consumers' keys."""
    warehouses: str = ""
    """Folder of the warehouses of this machine."""
    objects: str = ""
    """Folder of the services' objects."""
    rings: str = ""
    """Folder of the services' key rings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A plan on this machine."""

    plan: Plan
    layout: Layout
    mesh: MeshLayout | None
    """None when there is no proxy."""
    world: World

    @property
    def ports(self) -> Mapping[str, int]:
        """Loopback ports by name."""
        return self.world.ports
