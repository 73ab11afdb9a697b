"""What every part of the compiler is given, and what it asks of it. Pure."""

import msgspec

from shoal.deploy.aws.naming import joined
from shoal.deploy.aws.settings import Environment, Size
from shoal.deploy.cloud.system import IMPOSSIBLE, PORT, Planned, server
from shoal.model.plan import ServicePlan

__all__ = ["IMPOSSIBLE", "OWN", "PORT", "Scope", "server"]

OWN = ("postgres", "dynamodb", "mongo", "sns", "valkey", "opensearch", "s3")
"""Servers that are made here; the others are somebody's service, whose address is a secret."""


class Scope(Planned, frozen=True, kw_only=True, dict=True):
    """A plan and the environment that it is written for."""

    environment: Environment
    valkey: tuple[str, ...] = ()
    """Commands that a user of the cache may give, as access lists spell them."""

    def named(self, *parts: str, limit: int = 63) -> str:
        """Name something of this system in this environment."""
        return joined(self.system, self.environment.name, *parts, limit=limit)

    def size(self, service: ServicePlan) -> Size:
        """Decide how large a service is."""
        said = self.environment.services.get(service.name, Size())
        least = said.least or max(self.environment.least, service.replicas)
        return msgspec.structs.replace(said, least=least, most=max(least, said.most or self.environment.most))
