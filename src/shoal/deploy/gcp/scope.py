"""What every part of the compiler is given, and what it asks of it. Pure."""

from functools import cached_property

from shoal.deploy.cloud import scope as cloud
from shoal.deploy.cloud.naming import joined
from shoal.deploy.cloud.settings import STANDBY
from shoal.deploy.gcp import naming
from shoal.deploy.gcp.settings import Environment, Size, part
from shoal.model.plan import ServicePlan

OWN = ("postgres", "firestore", "pubsub", "valkey", "gcs", "bigquery")
"""Servers that are made here; the others are somebody's service, whose address is a secret."""

FIRESTORE = {"us": "nam5", "europe": "eur3"}
"""Part of the world → where Firestore has it in more than one region ("Locations")."""

WIDE = ("artifactregistry", "firestore", "pubsub", "storage")
"""Whose of Google's accounts encrypts what is in both regions."""


class Scope(cloud.Scope, frozen=True, kw_only=True, dict=True):
    """A plan and the environment that it is written for."""

    environment: Environment
    first: Environment | None = None

    @property
    def project(self) -> str:
        """Id of the project, which both regions have in common."""
        home = self.first or self.environment
        return home.project or naming.project(self.system, home.name)

    @property
    def state(self) -> str:
        """Bucket of Terraform's state."""
        return self.environment.state or f"{self.project}-{f'{STANDBY}-' if self.passive else ''}state"

    @property
    def regions(self) -> tuple[str, ...]:
        """The region, and the one that stands by, or for which this one does."""
        other = self.environment.standby
        if self.first is not None:
            return (self.first.region, self.environment.region)
        return (self.environment.region, *((other.region,) if other is not None else ()))

    @property
    def wide(self) -> str:
        """Part of the world in which both regions lie, and what is there for both; empty where there is one region."""
        return part(self.environment.region) if len(self.regions) > 1 else ""

    @property
    def home(self) -> str:
        """Where images are: in the region, or in the part of the world that two regions have in common."""
        return self.wide or self.environment.region

    def apart(self, name: str, limit: int = 63) -> str:
        """Name something that a project has once, so that each region has one."""
        return joined(name, STANDBY, limit=limit) if self.passive else name

    @property
    def number(self) -> str:
        """Number of the project, or what stands for it."""
        return str(self.environment.number or "PROJECT_NUMBER")

    def dataset(self, service: ServicePlan) -> str:
        """Name the dataset of a service; facts of each region are by themselves."""
        return f"{naming.dataset(service.name)}{f'_{STANDBY}' if self.passive else ''}"

    @property
    def domain(self) -> str:
        """Zone in which a balancer inside has a name for each service."""
        return f"{self.system}.internal"

    @property
    def run(self) -> bool:
        """Whether services run on Cloud Run."""
        return self.environment.compute == "cloud-run"

    @cached_property
    def made(self) -> tuple[str, ...]:
        """Servers that are made here; a cluster has its cache in itself."""
        return tuple(server for server in OWN if self.users(server) and (self.run or server != "valkey"))

    @property
    def namespace(self) -> str:
        """Namespace of the services in a cluster; empty on Cloud Run."""
        return "" if self.run else self.named()

    def busy_alone(self, service: ServicePlan) -> bool:
        """Tell whether a service works while nobody asks it: it hears events, sends its own, or keeps records."""
        return service.broker is not None or service.store is not None

    def measured(self, service: ServicePlan) -> Size:
        """Decide how large a service is; one that works by itself has an instance at all times."""
        size = Size(**{name: getattr(self.size(service), name) for name in Size.__struct_fields__})
        least = max(size.least, 1) if self.busy_alone(service) else size.least
        return Size(least=least, most=max(least, size.most), cpu=size.cpu, memory=size.memory, busy=size.busy)
