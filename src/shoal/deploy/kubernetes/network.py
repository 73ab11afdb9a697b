"""Who may open a connection to whom: nobody, and then what is declared."""

from collections.abc import Iterator

from shoal.deploy.kubernetes.engines.engine import Engine
from shoal.deploy.kubernetes.engines.table import ENGINES
from shoal.deploy.kubernetes.kinds import networkpolicy as policies
from shoal.deploy.kubernetes.naming import APPLICATION, PORT, SYSTEM, selector
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.kubernetes.sheet import Made, Sheet, Thing, sheet
from shoal.deploy.kubernetes.timing import alone
from shoal.deploy.yaml import Json
from shoal.model.plan import ServicePlan

EDGE_POD = {"gateway.networking.k8s.io/gateway-name": "edge"}
"""Label of the gateway's pods (Gateway API, GEP-1762)."""

WAYPOINT_POD = {"gateway.networking.k8s.io/gateway-name": "waypoint"}

TUNNEL = 15008
"""Where a pod of the mesh takes connections of others without a proxy of its own (HBONE)."""

PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16")
"""Addresses that are not the internet's; among them those by which clouds hand out credentials."""

HOST_PROBES = "169.254.7.127/32"
"""From where the probes of a node come in a mesh without proxies in pods (Istio, "Ambient and Kubernetes
NetworkPolicy"): an address of no other use."""

STATUS = 15021
"""Where a gateway of Istio says whether it is ready; balancers of clouds ask there, and not as the node does."""

NODE_LOCAL = "169.254.20.10/32"
"""Where NodeLocal DNSCache answers on each node (Kubernetes, "Using NodeLocal DNSCache in Kubernetes Clusters")."""

_DOORS = {"istio-ambient": (TUNNEL,), "linkerd": (4143,)}
"""Where pods of a mesh take connections of others, besides their own ports."""

_MESH_NAMESPACES = {
    "istio": ("istio-system", (15012, 15010)),
    "istio-ambient": ("istio-system", (15012, 15010, TUNNEL)),
    "linkerd": ("linkerd", (8080, 8086, 8090)),
}


def make(scope: Scope) -> Iterator[Made]:
    """Make the policies: those of services in the base, those that depend on where servers are in the overlays."""
    yield Sheet(path="base/network/policies.yaml", things=tuple(_everyone(scope)))
    for service in scope.plan.services:
        source = scope.declared(service).source
        bodies = [_service(scope, service), *_apart(scope, service)]
        things = tuple(Thing(body=body, source=source) for body in bodies)
        yield Sheet(path=f"base/{service.name}/network.yaml", things=things)
    for server in scope.servers:
        if any(scope.place(environment, server) == "cluster" for environment in scope.environments):
            yield sheet(f"engines/{server}/network.yaml", _engine(scope, server))
    for environment in scope.environments:
        things = tuple(Thing(body=body, source=where) for body, where in _outside(scope, environment))
        if things:
            yield Sheet(path=f"overlays/{environment.name}/network.yaml", things=things)


def application(system: str, name: str) -> Json:
    """Mean the pods of a service and its Jobs."""
    return {APPLICATION: name, SYSTEM: system}


def _everyone(scope: Scope) -> Iterator[Thing]:
    deny = policies.policy(scope.system, "default-deny", {}, ingress=[], egress=[], component="system")
    yield Thing(body=deny, why="Nothing may be reached, and nothing may be asked.")
    why = "Everybody may ask for addresses: the cluster's servers, those that each node has, or those of OpenShift."
    yield Thing(body=policies.policy(scope.system, "names", {}, egress=_names(), component="system"), why=why)
    if scope.mesh in _MESH_NAMESPACES:
        namespace, control = _MESH_NAMESPACES[scope.mesh]
        rules = [policies.rule("to", [policies.elsewhere(namespace)], control)]
        body = policies.policy(scope.system, "mesh", {}, egress=rules, component="mesh")
        yield Thing(body=body, why="Proxies get their certificates and their configuration.")
    if scope.mesh == "istio-ambient":
        probes: Json = {"from": [policies.network(HOST_PROBES)]}
        body = policies.policy(scope.system, "probes", {}, ingress=[probes], component="mesh")
        why = "In this mesh the probes of a node come from an address of their own, to whatever port a pod is asked at."
        yield Thing(body=body, why=why)
        yield Thing(body=_waypoint(scope))
    if scope.exposed:
        yield Thing(
            body=_edge(scope), why="The gateway is for the world, and leads to the services that it has routes to."
        )


def _names() -> list[Json]:
    """Open the ways to names: CoreDNS, NodeLocal DNSCache as a pod or by its address, and OpenShift's by its port."""
    near = [policies.elsewhere("kube-system", {"k8s-app": app}) for app in ("kube-dns", "node-local-dns")]
    servers = {53: [*near, policies.network(NODE_LOCAL)], 5353: [policies.elsewhere("openshift-dns")]}
    return [
        {"to": peers, "ports": [{"protocol": protocol, "port": port} for protocol in ("UDP", "TCP")]}
        for port, peers in servers.items()
    ]


def _ports(scope: Scope) -> tuple[int, ...]:
    return (PORT, *_DOORS.get(scope.mesh, ()))


def _door(scope: Scope, engine: Engine) -> tuple[int, ...]:
    """Say where else a server takes connections because it is part of the mesh."""
    return _DOORS.get(scope.mesh, ()) if engine.meshed else ()


def _service(scope: Scope, service: ServicePlan) -> Json:
    system, ports = scope.system, _ports(scope)
    callers = [policies.pods(one) for name in scope.callers.get(service.name, ()) for one in _pods(scope, name)]
    callees = _callees(scope, service)
    if service.name in scope.exposed:
        callers.append(policies.pods(EDGE_POD))
    if scope.mesh == "istio-ambient":
        callers += [policies.pods(WAYPOINT_POD)] if callers else []
    return policies.policy(
        system,
        service.name,
        selector(system, service.name),
        ingress=[policies.rule("from", callers, ports)] if callers else [],
        egress=[policies.rule("to", callees, ports)] if callees else [],
    )


def _callees(scope: Scope, service: ServicePlan) -> list[Json]:
    names = sorted({call.service for call in service.calls})
    found = [policies.pods(selector(scope.system, name)) for name in names]
    return [*found, policies.pods(WAYPOINT_POD)] if found and scope.mesh == "istio-ambient" else found


def _pods(scope: Scope, name: str) -> list[Json]:
    """Mean the replicas of a service, and the pods of schedules that run apart."""
    own = selector(scope.system, name)
    is_apart = bool(alone(scope.plan.system.service(name)))
    return [own, selector(scope.system, name, "job")] if is_apart else [own]


def _apart(scope: Scope, service: ServicePlan) -> Iterator[Json]:
    """Let schedules that run apart call whom their service calls."""
    callees = _callees(scope, service)
    if callees and alone(scope.declared(service)):
        rules = [policies.rule("to", callees, _ports(scope))]
        match = selector(scope.system, service.name, "job")
        yield policies.policy(scope.system, f"{service.name}-schedules", match, egress=rules, component="job")


def _edge(scope: Scope) -> Json:
    own = (STATUS,) if scope.istio else ()
    everybody: Json = {"ports": [{"protocol": "TCP", "port": port} for port in (80, 443, 8080, 8443, *own)]}
    services = [policies.pods(selector(scope.system, name)) for name in sorted(scope.exposed)]
    if scope.mesh == "istio-ambient":
        services.append(policies.pods(WAYPOINT_POD))
    rules = [policies.rule("to", services, _ports(scope))]
    return policies.policy(scope.system, "edge", EDGE_POD, ingress=[everybody], egress=rules, component="edge")


def _waypoint(scope: Scope) -> Json:
    """Let the waypoint stand between all services: it knows the declared calls, this does not."""
    system = scope.system
    services = [policies.pods({SYSTEM: system, "app.kubernetes.io/component": "service"})]
    apart = [policies.pods(selector(system, s.name, "job")) for s in scope.plan.services if alone(scope.declared(s))]
    door = [policies.pods(EDGE_POD)] if scope.exposed else []
    ingress = [policies.rule("from", [*services, *apart, *door], (TUNNEL,))]
    egress = [policies.rule("to", services, (TUNNEL,))]
    return policies.policy(system, "waypoint", WAYPOINT_POD, ingress=ingress, egress=egress, component="mesh")


def _engine(scope: Scope, server: str) -> Json:
    """Let in who uses a server, its own replicas, and those who look after it."""
    system, engine = scope.system, ENGINES[server]
    clients = [policies.pods(application(system, one.name)) for one in scope.users(server)]
    clients += [policies.pods(application(system, name)) for name in engine.jobs]
    if server == "nats":
        clients.append(policies.pods(application(system, "streams")))
    own = policies.pods(engine.selector(system))
    tunnel = _door(scope, engine)
    ingress = [
        policies.rule("from", clients, (engine.port, *tunnel)),
        policies.rule("from", [own], (*engine.peers, *tunnel)),
    ]
    egress = [policies.rule("to", [own], (*engine.peers, *tunnel))]
    if server == "nats":
        ingress.append(policies.rule("from", [policies.elsewhere("keda")], (8222,)))
    if server == "postgres":
        ingress.append(policies.rule("from", [policies.elsewhere("cnpg-system")], (5432, 8000)))
        world = policies.rule("to", [policies.network("0.0.0.0/0")], (443, 6443))
        egress.append(world)  # the cluster's own interface, and the place of backups
    return policies.policy(system, server, engine.selector(system), ingress=ingress, egress=egress, component="engine")


def _outside(scope: Scope, environment: Environment) -> Iterator[tuple[Json, str]]:
    """Let services reach their servers, wherever they are here, and what lies outside."""
    for service in scope.plan.services:
        rules = [*_servers(scope, environment, service), *_externals(scope, environment, service)]
        if rules:
            name = f"{service.name}-engines"
            match = application(scope.system, service.name)
            yield policies.policy(scope.system, name, match, egress=rules), scope.declared(service).source
    for name in _jobs(scope, environment):
        yield _job(scope, environment, name), ""


def _servers(scope: Scope, environment: Environment, service: ServicePlan) -> list[Json]:
    found, managed = [], set[tuple[str, ...]]()
    for server in sorted(set(scope.uses(service).values())):
        if scope.place(environment, server) == "cluster":
            engine = ENGINES[server]
            tunnel = _door(scope, engine)
            found.append(policies.rule("to", [policies.pods(engine.selector(scope.system))], (engine.port, *tunnel)))
        else:
            managed.add((server, *environment.reach.get(server, ())))
    return [*found, *(_managed(server, networks) for server, *networks in sorted(managed))]


def _managed(server: str, networks: list[str]) -> Json:
    """Reach a server that others run: by its own port, or by HTTPS where it is a cloud's interface."""
    port = ENGINES[server].port if server in ENGINES else 443
    peers = [policies.network(one) for one in networks] or [policies.network("0.0.0.0/0", PRIVATE)]
    return policies.rule("to", peers, (port,))


def _externals(scope: Scope, environment: Environment, service: ServicePlan) -> list[Json]:
    found = []
    for external in scope.plan.system.externals:
        if external.name in service.externals:
            ports = (465, 587) if external.protocol == "smtp" else (443,)
            reach = [policies.network(one) for one in environment.reach.get(external.name, ())]
            found.append(policies.rule("to", reach or [policies.network("0.0.0.0/0", PRIVATE)], ports))
    if any(issuer.remote for issuer in scope.plan.system.gateway.issuers) and not found:
        found.append(policies.rule("to", [policies.network("0.0.0.0/0", PRIVATE)], (443,)))
    return found


def _jobs(scope: Scope, environment: Environment) -> list[str]:
    here = [server for server in scope.servers if scope.place(environment, server) == "cluster"]
    found = [job for server in here for job in ENGINES[server].jobs]
    return [*found, *(["streams"] if scope.plan.streams else [])]


def _job(scope: Scope, environment: Environment, name: str) -> Json:
    server = next((one for one, engine in ENGINES.items() if name in engine.jobs), "nats")
    broker = next((s.broker.engine for s in scope.plan.services if s.broker is not None), "nats")
    if name == "streams":
        server = broker
    if scope.place(environment, server) == "cluster":
        engine = ENGINES[server]
        tunnel = _door(scope, engine)
        rules = [policies.rule("to", [policies.pods(engine.selector(scope.system))], (engine.port, *tunnel))]
    else:
        rules = [_managed(server, list(environment.reach.get(server, ())))]
    return policies.policy(
        scope.system, f"{name}-engines", application(scope.system, name), egress=rules, component="job"
    )
