"""What every part of the compiler is given, and what it asks of it. Pure."""

from functools import cached_property

from shoal.deploy.cloud import scope as cloud
from shoal.deploy.gcp import naming
from shoal.deploy.gcp.settings import Environment, Size
from shoal.model.plan import ServicePlan

OWN = ("postgres", "firestore", "pubsub", "valkey", "gcs", "bigquery")
"""Servers that are made here; the others are somebody's service, whose address is a secret."""


class Scope(cloud.Scope, frozen=True, kw_only=True, dict=True):
    """A plan and the environment that it is written for."""

    environment: Environment

    @property
    def project(self) -> str:
        """Id of the project."""
        return self.environment.project or naming.project(self.system, self.environment.name)

    @property
    def number(self) -> str:
        """Number of the project, or what stands for it."""
        return str(self.environment.number or "PROJECT_NUMBER")

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
