"""What every part of the compiler is given, and what it asks of it. Pure."""

import msgspec

from shoal.deploy.azure import naming
from shoal.deploy.azure.settings import Environment, Size
from shoal.deploy.cloud.system import Planned
from shoal.model.plan import ServicePlan

OWN = ("postgres", "servicebus", "valkey", "blob")
"""Servers that are made here; the others are somebody's service, whose address is a secret."""


class Scope(Planned, frozen=True, kw_only=True, dict=True):
    """A plan and the environment that it is written for."""

    environment: Environment

    def named(self, *parts: str, limit: int = 63) -> str:
        """Name something of this system in this environment."""
        return naming.joined(self.system, self.environment.name, *parts, limit=limit)

    def worldly(self, *parts: str, limit: int) -> str:
        """Name something apart from everybody else's."""
        mark = self.environment.mark or naming.mark(self.system, self.environment.name)
        return naming.joined(self.system, self.environment.name, *parts, mark, limit=limit)

    def lettered(self, *parts: str, limit: int) -> str:
        """Name something apart from everybody else's, with letters and digits alone."""
        mark = self.environment.mark or naming.mark(self.system, self.environment.name)
        return naming.plain(self.system, self.environment.name, *parts, mark, limit=limit)

    def size(self, service: ServicePlan) -> Size:
        """Decide how large a service is."""
        said = self.environment.services.get(service.name, Size())
        least = said.least or max(self.environment.least, service.replicas)
        return msgspec.structs.replace(said, least=least, most=max(least, said.most or self.environment.most))

    @property
    def apps(self) -> bool:
        """Whether services run as container apps."""
        return self.environment.compute == "container-apps"

    def reached(self, service: ServicePlan) -> bool:
        """Tell whether anybody calls a service."""
        return service.name in self.exposed or bool(self.callers.get(service.name))

    @property
    def second(self) -> bool:
        """Whether databases have a second copy in another zone; small ones cannot."""
        return self.environment.protected and not self.environment.engines.postgres.startswith("B_")
