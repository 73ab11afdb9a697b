"""What every part of the compiler is given, and what it asks of it. Pure."""

from collections.abc import Mapping
from functools import cached_property

import msgspec

from shoal.deploy.aws.naming import joined
from shoal.deploy.aws.settings import Environment, Size
from shoal.deploy.callers import callers_of
from shoal.model import catalog
from shoal.model.plan import Plan, ServicePlan
from shoal.model.service import Service

PORT = 8080
"""Where every service listens in its task."""

OWN = ("postgres", "dynamodb", "mongo", "sns", "valkey", "opensearch", "s3")
"""Servers that are made here; the others are somebody's service, whose address is a secret."""

IMPOSSIBLE = ("folder", "duckdb", "memory", "memory-bus", "memory-cache", "memory-objects", "memory-search",
              "memory-warehouse")  # fmt: skip
"""Engines that one process or one machine has for itself."""


class Scope(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A plan and the environment that it is written for."""

    plan: Plan
    environment: Environment
    source: bool = True
    """Whether resources name the line of Python that they come from."""
    valkey: tuple[str, ...] = ()
    """Commands that a user of the cache may give, as access lists spell them."""

    @property
    def system(self) -> str:
        """Name of the system."""
        return self.plan.system.name

    def named(self, *parts: str, limit: int = 63) -> str:
        """Name something of this system in this environment."""
        return joined(self.system, self.environment.name, *parts, limit=limit)

    def declared(self, service: ServicePlan) -> Service:
        """Return what its author declared."""
        return self.plan.system.service(service.name)

    def size(self, service: ServicePlan) -> Size:
        """Decide how large a service is."""
        said = self.environment.services.get(service.name, Size())
        least = said.least or max(self.environment.least, service.replicas)
        return msgspec.structs.replace(said, least=least, most=max(least, said.most or self.environment.most))

    @cached_property
    def callers(self) -> Mapping[str, tuple[str, ...]]:
        """Service → services that call it."""
        return callers_of(self.plan)

    @cached_property
    def exposed(self) -> tuple[str, ...]:
        """Services to which the door leads."""
        return tuple(sorted({route.service for route in self.plan.routes}))

    def engines(self, service: ServicePlan) -> dict[str, str]:
        """Name the engines of a service by what they are to it."""
        warehouse = self.declared(service).warehouse
        parts = {role: getattr(service, role) for role in ("store", "broker", "cache", "search", "objects")}
        found = {role: part.engine for role, part in parts.items() if part is not None}
        if warehouse is not None:
            found["warehouse"] = warehouse.production or warehouse.engine
        return found

    def uses(self, service: ServicePlan) -> dict[str, str]:
        """Name the servers of a service by what they are to it: ``{"store": "postgres", "broker": "sns"}``."""
        return {role: server(engine) for role, engine in self.engines(service).items()}

    def users(self, name: str) -> list[ServicePlan]:
        """List the services that use a server."""
        return [service for service in self.plan.services if name in self.uses(service).values()]


def server(engine: str) -> str:
    """Name what serves an engine in production; a laptop's stand-in for a cloud is none."""
    row = catalog.engine(engine)
    return row.server if row.server == "postgres" else row.name
