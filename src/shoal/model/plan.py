"""Decide once: which engines, names, identities, permissions and routes a system gets on a target."""

from collections.abc import Mapping
from functools import cached_property

from shoal.errors import PlanError
from shoal.model import catalog, feasible, names
from shoal.model.aliases import aliases, unnamed
from shoal.model.breaker import Breaker
from shoal.model.cache import CachePlan
from shoal.model.data import Data
from shoal.model.edge import Edge
from shoal.model.finding import Finding
from shoal.model.objects import ObjectsPlan
from shoal.model.search import SearchPlan
from shoal.model.service import Access, Endpoint, Method, Policy, Service, closeness, shape
from shoal.model.system import External, System
from shoal.model.target import Target
from shoal.model.tls import Tls
from shoal.model.versioning import Wanted


class StorePlan(Data, frozen=True, kw_only=True):
    """A service's own database, opened by a role that can open no other."""

    engine: str
    database: str
    role: str
    pooled: bool = False
    """Whether each of its transactions may meet another session of the server."""


class WarehousePlan(Data, frozen=True, kw_only=True):
    """A service's own warehouse, which nobody else opens."""

    engine: str


class ConsumerPlan(Data, frozen=True, kw_only=True):
    """A durable subscription of one service to one part of one producer's stream."""

    stream: str
    durable: str
    subjects: tuple[str, ...]
    ack_wait: float
    """Seconds after which an unanswered delivery is repeated."""


class BrokerPlan(Data, frozen=True, kw_only=True):
    """What a service may say and hear; everything else is refused by the broker."""

    engine: str
    user: str
    stream: str = ""
    """The stream of its own events; empty when it has none."""
    publish: tuple[str, ...] = ()
    """Subjects it may publish to."""
    consumers: tuple[ConsumerPlan, ...] = ()


class StreamPlan(Data, frozen=True, kw_only=True):
    """One stream of the broker."""

    name: str
    subjects: tuple[str, ...]
    letters: bool = False
    """Whether it holds dead letters, which stay until somebody removes them."""


class Grant(Data, frozen=True, kw_only=True):
    """One operation of a service and the identities that may call it."""

    endpoint: str
    method: Method
    path: str
    callers: tuple[str, ...]
    policy: Policy


class CallPlan(Data, frozen=True, kw_only=True):
    """One operation that a service may call."""

    service: str
    endpoint: str
    method: Method
    path: str
    policy: Policy
    breaker: Breaker | None = None


class Route(Data, frozen=True, kw_only=True):
    """One operation that the gateway serves."""

    service: str
    endpoint: str
    method: Method
    path: str
    """Path template under which clients find it."""
    inside: str
    """Path template that its service knows."""
    access: Access
    policy: Policy
    edge: Edge
    wanted: Wanted | None = None
    """What a request for a path without version must say; None where every request is meant."""


class ServicePlan(Data, frozen=True, kw_only=True):
    """Everything decided about one service."""

    name: str
    entry: str
    identity: str
    replicas: int
    zones: tuple[str, ...] = ()
    """Zone of each replica; empty where there is one zone."""
    near: bool = False
    """Whether replicas of the caller's zone come before all others."""
    store: StorePlan | None
    warehouse: WarehousePlan | None = None
    search: SearchPlan | None = None
    objects: ObjectsPlan | None = None
    broker: BrokerPlan | None
    cache: CachePlan | None = None
    grants: tuple[Grant, ...]
    calls: tuple[CallPlan, ...]
    externals: dict[str, str]
    """External name → environment variable that carries its address."""
    issues_tokens: bool


class Plan(Data, frozen=True, kw_only=True, dict=True):
    """A system on a target, with every decision taken."""

    system: System
    target: Target
    port: int
    tls: Tls | None
    """How the gateway serves TLS; None where it does not, or where there is no proxy to do it."""
    gateway_identity: str
    services: tuple[ServicePlan, ...]
    routes: tuple[Route, ...]
    aliases: tuple[Route, ...]
    """Paths without version that lead to versions; of those with one path the first that fits is meant."""
    streams: tuple[StreamPlan, ...]
    externals: tuple[External, ...]
    engines: tuple[str, ...]
    """Names of the catalog rows in use, sorted."""
    findings: tuple[Finding, ...]

    def service(self, name: str) -> ServicePlan:
        """Find a service's plan; raises `KeyError` for a name that is not in it."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, ServicePlan]:
        return {s.name: s for s in self.services}

    def require(self) -> "Plan":
        """Return the plan when the target can carry it, else raise `PlanError` with every error found."""
        errors = [f for f in self.findings if f.severity == "error"]
        if errors:
            lines = "\n".join(f"  {f.code} {f.where + ': ' if f.where else ''}{f.message} ({f.help})" for f in errors)
            raise PlanError(f"target {self.target.name} cannot carry system {self.system.name}:\n{lines}")
        return self


ACK_WAIT = 5.0
"""Seconds after which a delivery goes to another member unless its holder says that it is still at work."""

GATEWAY = "gateway"
"""Name of the gateway among the callers."""


def plan(system: System, target: Target) -> Plan:
    """Take every decision about `system` on `target`; what the target cannot do becomes a finding."""
    callers = _callers(system)
    services = tuple(_service(system, service, target, callers) for service in system.services)
    return Plan(
        system=system,
        target=target,
        port=target.port or system.gateway.port,
        tls=_tls(system, target),
        gateway_identity=names.identity(system.name, GATEWAY),
        services=services,
        routes=_routes(system),
        aliases=tuple(aliases(system, _route)),
        streams=_streams(system),
        externals=system.externals if target.shape != "memory" else (),
        engines=_engines(system, target, services),
        findings=tuple(feasible.findings(system, target)),
    )


def _tls(system: System, target: Target) -> Tls | None:
    if target.shape != "processes":
        return None
    return system.gateway.tls or (Tls() if target.tls else None)


Callers = Mapping[tuple[str, str], set[str]]
"""Service and endpoint → identities of the services that declare the call."""


def _callers(system: System) -> Callers:
    found: dict[tuple[str, str], set[str]] = {}
    for service in system.services:
        for call in service.calls:
            found.setdefault((call.service, call.endpoint), set()).add(names.identity(system.name, service.name))
    return found


def _service(system: System, service: Service, target: Target, callers: Callers) -> ServicePlan:
    store = None
    if service.store is not None:
        name = names.database(service.name)
        engine, pooled = feasible.store_engine(service, target), bool(service.store.pooler)
        store = StorePlan(engine=engine, database=name, role=name, pooled=pooled)
    issuer, replicas = system.gateway.issuer, target.replicas.get(service.name, 1)
    return ServicePlan(
        name=service.name,
        entry=service.entry,
        identity=names.identity(system.name, service.name),
        replicas=replicas,
        zones=_zones(target, replicas),
        near=service.traffic.zones == "near",
        store=store,
        warehouse=WarehousePlan(engine=feasible.warehouse_engine(service, target)) if service.warehouse else None,
        search=SearchPlan(
            engine=feasible.search_engine(service, target),
            database=names.database(service.name),
            role=names.database(service.name),
        )
        if service.search
        else None,
        objects=feasible.objects_plan(system, service, target),
        broker=_broker(system, service, target),
        cache=_cache(system, service, target),
        grants=_grants(system, service, callers),
        calls=_calls(system, service),
        externals={
            e.name: names.variable(service.name, e.setting) for e in system.externals if e.name in service.externals
        },
        issues_tokens=issuer is not None and issuer.service == service.name,
    )


def _zones(target: Target, replicas: int) -> tuple[str, ...]:
    """Spread replicas over the zones in turn."""
    if len(target.zones) < 2:
        return ()
    return tuple(target.zones[n % len(target.zones)] for n in range(replicas))


def _cache(system: System, service: Service, target: Target) -> CachePlan | None:
    if service.cache is None:
        return None
    part = names.cache_part(system.name, service.name)
    return CachePlan(engine=feasible.cache_engine(service.cache, target), user=service.name, part=part)


def _broker(system: System, service: Service, target: Target) -> BrokerPlan | None:
    if not service.publishes and not service.subscriptions:
        return None
    publish = [names.subject(system.name, event, "*") for event in system.spoken(service)]
    if service.subscriptions:
        publish.append(names.dead_letter_subject(system.name, service.name))
    return BrokerPlan(
        engine=target.broker,
        user=service.name,
        stream=names.stream(system.name, service.name) if service.publishes else "",
        publish=tuple(publish),
        consumers=consumers(system.name, service),
    )


def consumers(system: str, service: Service) -> tuple[ConsumerPlan, ...]:
    """Plan a service's subscriptions: one durable for each part of each producer, and one for dead letters' return."""
    by_owner: dict[str, list[str]] = {}
    for subscription in service.subscriptions:
        by_owner.setdefault(subscription.event.partition(".")[0], []).extend(subscription.heard)
    planned = [
        ConsumerPlan(
            stream=names.stream(system, owner),
            durable=names.durable(service.name, part),
            subjects=tuple(sorted(names.subject(system, event, part) for event in heard)),
            ack_wait=ACK_WAIT,
        )
        for owner, heard in sorted(by_owner.items())
        for part in range(names.PARTS)
    ]
    if service.subscriptions:
        planned.append(_again(system, service))
    return tuple(planned)


def _again(system: str, service: Service) -> ConsumerPlan:
    return ConsumerPlan(
        stream=names.dead_letter_stream(system, service.name),
        durable=names.durable(service.name, "again"),
        subjects=(names.again_subject(system, service.name),),
        ack_wait=ACK_WAIT,
    )


def _grants(system: System, service: Service, callers: Callers) -> tuple[Grant, ...]:
    gateway = names.identity(system.name, GATEWAY)
    grants = []
    for endpoint in service.endpoints:
        declared = callers.get((service.name, endpoint.name), set())
        grants.append(
            Grant(
                endpoint=endpoint.name,
                method=endpoint.method,
                path=endpoint.path,
                callers=tuple(sorted([*declared, *([gateway] if endpoint.exposed else [])])),
                policy=endpoint.policy,
            )
        )
    return tuple(grants)


def _calls(system: System, service: Service) -> tuple[CallPlan, ...]:
    calls = []
    for call in service.calls:
        endpoint = system.service(call.service).endpoint(call.endpoint)
        if endpoint is not None:
            calls.append(
                CallPlan(
                    service=call.service,
                    endpoint=call.endpoint,
                    method=endpoint.method,
                    path=endpoint.path,
                    policy=call.policy,
                    breaker=call.breaker,
                )
            )
    return tuple(calls)


def _routes(system: System) -> tuple[Route, ...]:
    """Exposed operations, literal paths before templates so that the first match is the closest."""
    wanted = unnamed(system)
    routes = [
        _route(s, e, e.public, wanted.get((e.method, shape(e.public))))
        for s in system.services
        for e in s.endpoints
        if e.exposed
    ]
    return tuple(sorted(routes, key=lambda r: (closeness(r.path), r.method)))


def _route(service: Service, endpoint: Endpoint, path: str, wanted: Wanted | None = None) -> Route:
    return Route(
        service=service.name,
        endpoint=endpoint.name,
        method=endpoint.method,
        path=path,
        inside=endpoint.path,
        access=endpoint.access,
        policy=endpoint.policy,
        edge=endpoint.edge,
        wanted=wanted,
    )


def _streams(system: System) -> tuple[StreamPlan, ...]:
    streams = []
    for service in system.services:
        if service.publishes:
            subjects = tuple(sorted(names.subject(system.name, event, "*") for event in system.spoken(service)))
            streams.append(StreamPlan(name=names.stream(system.name, service.name), subjects=subjects))
        if service.subscriptions:
            name = names.dead_letter_stream(system.name, service.name)
            letters = names.dead_letter_subject(system.name, service.name)
            subjects = (names.again_subject(system.name, service.name), letters)
            streams.append(StreamPlan(name=name, subjects=subjects, letters=True))
    return tuple(streams)


def _counts(system: System) -> bool:
    """Tell whether some limit is counted for all gateways."""
    exposed = [e for s in system.services for e in s.endpoints if e.exposed]
    return any(e.edge.limit is not None and e.edge.limit.counted for e in exposed)


def _engines(system: System, target: Target, services: tuple[ServicePlan, ...]) -> tuple[str, ...]:
    used = {s.store.engine for s in services if s.store} | {s.broker.engine for s in services if s.broker}
    used |= {s.cache.engine for s in services if s.cache}
    used |= {s.warehouse.engine for s in services if s.warehouse}
    used |= {s.search.engine for s in services if s.search}
    used |= {s.objects.engine for s in services if s.objects}
    if target.shape == "processes":
        used.add("envoy")
        used |= {"limiter", "valkey"} if _counts(system) else set()
    if target.shape != "memory" and any(e.protocol == "smtp" and e.sandbox is None for e in system.externals):
        used.add("mailbox")
    return tuple(sorted({*map(catalog.server, used)}))
