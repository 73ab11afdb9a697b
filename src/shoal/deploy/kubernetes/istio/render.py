"""Everything that Istio is told."""

from collections.abc import Iterator

from shoal.deploy.kubernetes.edge import EDGE
from shoal.deploy.kubernetes.engines.table import ENGINES
from shoal.deploy.kubernetes.istio import access, admission, calls, refusals, traffic, who
from shoal.deploy.kubernetes.kinds.gateway import gateway
from shoal.deploy.kubernetes.naming import labels
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.kubernetes.sheet import Entry, Made, Sheet, Thing, sheet
from shoal.deploy.yaml import Json


def make(scope: Scope) -> Iterator[Made]:
    """Make it: encryption, policies, tokens, traffic, logs."""
    strict = Thing(body=_peers(scope, "default", {}), why="Nobody speaks to a pod but by mutual TLS.")
    yield Sheet(path="base/mesh/encryption.yaml", things=(strict,))
    for environment in scope.environments:
        yield sheet(f"overlays/{environment.name}/telemetry.yaml", _telemetry(scope, environment))
    if scope.mesh == "istio-ambient":
        yield sheet(
            "base/mesh/waypoint.yaml",
            _waypoint(scope),
            why="Where operations are told apart, and calls bounded and repeated.",
        )
    yield from access.make(scope)
    yield from admission.make(scope)
    for service in scope.plan.services:
        yield from _service(scope, service.name)
    if _own_nats(scope):
        body = _peers(
            scope,
            "nats",
            {"selector": {"matchLabels": ENGINES["nats"].selector(scope.system)}},
            {8222: {"mode": "PERMISSIVE"}},
        )
        yield sheet(
            "engines/nats/encryption.yaml", body, why="KEDA is no part of the mesh, and asks how many messages wait."
        )
    for environment in scope.environments:
        for replacement in _replacements(scope):
            yield Entry(folder=f"overlays/{environment.name}", field="replacements", value=replacement)


def _own_nats(scope: Scope) -> bool:
    return "nats" in scope.servers and any(
        scope.place(environment, "nats") == "cluster" for environment in scope.environments
    )


def _service(scope: Scope, name: str) -> Iterator[Made]:
    service = scope.plan.service(name)
    declared = scope.declared(service)
    body = traffic.destination(scope.system, service, declared.traffic)
    yield sheet(f"base/{name}/traffic.yaml", body, source=declared.source)
    if name not in scope.callers:  # requests from the gateway are bounded by its own routes
        return
    if scope.mesh == "istio-ambient":
        things = tuple(Thing(body=one, source=declared.source) for one in calls.routes(scope, service))
        yield Sheet(path=f"base/{name}/calls.yaml", things=things)
    else:
        yield sheet(f"base/{name}/calls.yaml", calls.virtual(scope, service), source=declared.source)


def _peers(scope: Scope, name: str, about: Json, ports: dict[int, Json] | None = None) -> Json:
    spec: Json = {**about, "mtls": {"mode": "STRICT"}}
    if ports:
        spec["portLevelMtls"] = {str(port): mode for port, mode in ports.items()}
    marks = labels(scope.system, name, "mesh")
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "PeerAuthentication",
        "metadata": {"name": name, "labels": marks},
        "spec": spec,
    }


def _telemetry(scope: Scope, environment: Environment) -> Json:
    return {
        "apiVersion": "telemetry.istio.io/v1",
        "kind": "Telemetry",
        "metadata": {"name": "default", "labels": labels(scope.system, "default", "mesh")},
        "spec": {
            "accessLogging": [{"providers": [{"name": "envoy"}], "filter": {"expression": "response.code >= 400"}}],
            "tracing": [{"randomSamplingPercentage": environment.traces}],
        },
    }


def _waypoint(scope: Scope) -> Json:
    listener = {"name": "mesh", "port": 15008, "protocol": "HBONE"}
    return gateway(
        scope.system, who.WAYPOINT, "istio-waypoint", [listener], "mesh", **{"istio.io/waypoint-for": "service"}
    )


def _replacements(scope: Scope) -> Iterator[Json]:
    """Put the namespace of an environment into identities, which name it in their middle."""
    callable_ = {service.name for service in scope.plan.services if any(grant.callers for grant in service.grants)}
    silent = [service.name for service in scope.plan.services if service.name not in callable_]
    if not callable_ and not _meshed(scope) and scope.mesh != "istio-ambient":
        return
    yield {
        "source": {"kind": "Namespace", "fieldPath": "metadata.name"},
        "targets": [
            {
                "select": {"kind": "AuthorizationPolicy"},
                "reject": [{"name": name} for name in ("default-deny", EDGE, refusals.NAME, *silent)],
                "fieldPaths": ["spec.rules.*.from.*.source.principals.*"],
                "options": {"delimiter": "/", "index": 2},
            }
        ],
    }


def _meshed(scope: Scope) -> list[str]:
    """List the servers of the mesh that some environment has in its cluster."""
    return [
        server
        for server in scope.servers
        if server in ENGINES
        and ENGINES[server].meshed
        and all(scope.place(environment, server) == "cluster" for environment in scope.environments)
    ]
