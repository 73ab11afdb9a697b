"""What every compiler for a cloud asks of a plan, whatever the cloud. Pure."""

from collections.abc import Mapping
from functools import cached_property

import msgspec

from shoal.deploy.callers import callers_of
from shoal.model import catalog
from shoal.model.plan import Plan, ServicePlan
from shoal.model.service import Service

PORT = 8080
"""Where every service listens in its container."""

ROLES = ("store", "broker", "cache", "search", "objects", "warehouse")
"""What an engine is to a service."""

IMPOSSIBLE = ("folder", "duckdb", "memory", "memory-bus", "memory-cache", "memory-objects", "memory-search",
              "memory-warehouse")  # fmt: skip
"""Engines that one process or one machine has for itself."""


class Planned(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A plan, as compilers for clouds read it; each adds its environment."""

    plan: Plan
    source: bool = True
    """Whether resources name the line of Python that they come from."""

    @property
    def system(self) -> str:
        """Name of the system."""
        return self.plan.system.name

    def declared(self, service: ServicePlan) -> Service:
        """Return what its author declared."""
        return self.plan.system.service(service.name)

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
        parts = {role: getattr(service, role) for role in ROLES}
        return {role: part.engine for role, part in parts.items() if part is not None}

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
