"""What every part of the compiler is given, and what it asks of it. Pure."""

from collections.abc import Mapping
from functools import cached_property

import msgspec

from shoal.deploy.callers import callers_of
from shoal.deploy.cloud.system import server
from shoal.deploy.kubernetes.settings import Environment, Mesh, Size
from shoal.model.plan import Plan, ServicePlan
from shoal.model.service import Service

DRAIN = (10, 60)
"""Least and most seconds that work in progress gets at the end."""

LEAVING = 5
"""Seconds between "this pod goes" and SIGTERM: so long may proxies need to hear of it."""

IN_CLUSTER = ("postgres", "nats", "valkey", "mongo", "opensearch")
"""Servers that can be made in the cluster; the others are somebody's service."""


class Scope(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A plan and the environments that it is written for."""

    plan: Plan
    environments: tuple[Environment, ...]
    source: bool = True
    """Whether objects name the line of Python that they come from."""
    overrides: Mapping[str, tuple[str, ...]] = {}
    """Patches of people, by environment; relative to its folder."""
    valkey: tuple[str, ...] = ()
    """Commands that a user of the cache may give, as access lists spell them."""

    @property
    def system(self) -> str:
        """Name of the system."""
        return self.plan.system.name

    @property
    def mesh(self) -> Mesh:
        """Who carries calls."""
        return self.environments[0].mesh

    @property
    def istio(self) -> bool:
        """Whether it is Istio, of either form."""
        return self.mesh in ("istio", "istio-ambient")

    def declared(self, service: ServicePlan) -> Service:
        """Return what its author declared."""
        return self.plan.system.service(service.name)

    def namespace(self, environment: Environment) -> str:
        """Name the namespace of an environment."""
        return environment.namespace or f"{self.system}-{environment.name}"

    def hosts(self, environment: Environment) -> tuple[str, ...]:
        """Name the hosts under which clients call."""
        return environment.hosts or (f"{environment.name}.{self.system}.example",)

    def size(self, environment: Environment, service: ServicePlan) -> Size:
        """Decide how large a service is; what has only one process has one replica."""
        said = environment.services.get(service.name, Size())
        least = said.least or max(environment.least, service.replicas)
        return msgspec.structs.replace(said, least=least, most=max(least, said.most or environment.most))

    def place(self, environment: Environment, server: str) -> str:
        """Say where a server runs: ``cluster`` or ``managed``."""
        return environment.engines.get(server, "cluster") if server in IN_CLUSTER else "managed"

    @cached_property
    def servers(self) -> tuple[str, ...]:
        """Servers that the services talk to."""
        return tuple(sorted({server for service in self.plan.services for server in self.uses(service).values()}))

    @cached_property
    def callers(self) -> Mapping[str, tuple[str, ...]]:
        """Service → services that call it."""
        return callers_of(self.plan)

    @cached_property
    def exposed(self) -> frozenset[str]:
        """Services to which the gateway leads."""
        return frozenset(route.service for route in self.plan.routes)

    def uses(self, service: ServicePlan) -> dict[str, str]:
        """Name the servers of a service by what they are to it: ``{"store": "postgres", "broker": "nats"}``."""
        return {role: server(engine) for role, engine in _engines(service).items()}

    def users(self, server: str) -> list[ServicePlan]:
        """List the services that use a server."""
        return [service for service in self.plan.services if server in self.uses(service).values()]


def _engines(service: ServicePlan) -> dict[str, str]:
    parts = {
        "store": service.store,
        "broker": service.broker,
        "cache": service.cache,
        "search": service.search,
        "objects": service.objects,
        "warehouse": service.warehouse,
    }
    return {role: part.engine for role, part in parts.items() if part is not None}


def drain(service: Service) -> int:
    """Seconds that requests in progress get: as long as the longest may take, within reason; streams reconnect."""
    longest = max((e.policy.timeout for e in service.endpoints if not e.edge.goes_on), default=0.0)
    return int(min(max(DRAIN[0], -(-longest // 1)), DRAIN[1]))


def grace(service: Service) -> int:
    """Seconds from "this pod goes" until it is killed: proxies hear, requests end, then events and sagas in hand do."""
    return LEAVING + 2 * drain(service) + 5
