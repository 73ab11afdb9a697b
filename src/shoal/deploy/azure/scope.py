"""What every part of the compiler is given, and what it asks of it. Pure."""

from shoal.deploy.azure import naming
from shoal.deploy.azure.settings import Environment
from shoal.deploy.cloud import scope
from shoal.deploy.cloud.naming import joined, plain
from shoal.deploy.cloud.settings import STANDBY
from shoal.model.plan import ServicePlan

OWN = ("postgres", "servicebus", "valkey", "blob")
"""Servers that are made here; the others are somebody's service, whose address is a secret."""


class Scope(scope.Scope, frozen=True, kw_only=True, dict=True):
    """A plan and the environment that it is written for."""

    environment: Environment
    first: Environment | None = None

    def worldly(self, *parts: str, limit: int) -> str:
        """Name something apart from everybody else's."""
        mark = self.environment.mark or naming.mark(self.system, self.environment.name)
        return joined(self.system, self.environment.name, *parts, mark, limit=limit)

    def lettered(self, *parts: str, limit: int) -> str:
        """Name something apart from everybody else's, with letters and digits alone."""
        mark = self.environment.mark or naming.mark(self.system, self.environment.name)
        return plain(self.system, self.environment.name, *parts, mark, limit=limit)

    @property
    def state(self) -> str:
        """Storage account of Terraform's state."""
        return self.environment.state or self.lettered("state", limit=naming.ACCOUNT)

    @property
    def states(self) -> str:
        """Group of the accounts of state, one for all environments."""
        return f"{self.system}-{STANDBY}-state" if self.passive else f"{self.system}-state"

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
