"""Environments: a namespace, where images are, sizes, and what people put beside it."""

from collections.abc import Iterator

from shoal.deploy.kubernetes import scaling
from shoal.deploy.kubernetes.engines.engine import Engine
from shoal.deploy.kubernetes.engines.table import ENGINES
from shoal.deploy.kubernetes.kinds import pod
from shoal.deploy.kubernetes.naming import labels
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.kubernetes.sheet import Entry, Made, Sheet, Thing, sheet
from shoal.deploy.kubernetes.workloads import image_of
from shoal.deploy.yaml import Json, plain

ENVIRONMENT = "shoal.dev/environment"
"""Label that says which environment an object belongs to."""

_MESHED: dict[str, Json] = {
    "istio": {"istio-injection": "enabled"},
    "istio-ambient": {"istio.io/dataplane-mode": "ambient"},
}


def make(scope: Scope) -> Iterator[Made]:
    """Make the overlays."""
    for environment in scope.environments:
        folder = f"overlays/{environment.name}"
        for field, value in _entries(scope, environment):
            yield Entry(folder=folder, field=field, value=value)  # type: ignore[arg-type]
        yield sheet(f"{folder}/namespace.yaml", _namespace(scope, environment))
        yield Sheet(path=f"{folder}/sizes.yaml", things=tuple(_sizes(scope, environment)))
        for server in scope.servers:
            if scope.place(environment, server) == "cluster":
                yield from _engine(scope, environment, server, folder)


def _entries(scope: Scope, environment: Environment) -> Iterator[tuple[str, object]]:
    yield "namespace", scope.namespace(environment)
    yield "resources", "../../base"
    yield "labels", {"pairs": {ENVIRONMENT: environment.name}, "includeTemplates": False}
    for service in scope.plan.services:
        name = image_of(scope, service)
        digest = environment.digests.get(service.name)
        which = {"digest": digest} if digest else {"newTag": environment.version}
        yield "images", {"name": name, "newName": f"{environment.registry}/{name}", **which}
    yield "patches", {"path": "sizes.yaml"}
    if any(scaling.by_lag(service) for service in scope.plan.services):
        yield "replacements", _asked(scope)
    for path in scope.overrides.get(environment.name, ()):
        yield "patches", {"path": path}


def _asked(scope: Scope) -> Json:
    """Put the namespace into the address at which KEDA, which is in another one, asks what waits."""
    asked = "spec.triggers.[type=nats-jetstream].metadata.natsServerMonitoringEndpoint"
    target = {"select": {"kind": "ScaledObject"}, "fieldPaths": [asked], "options": {"delimiter": ".", "index": 1}}
    lagging = [{"name": service.name} for service in scope.plan.services if not scaling.by_lag(service)]
    return {
        "source": {"kind": "Namespace", "fieldPath": "metadata.name"},
        "targets": [{**target, **({"reject": lagging} if lagging else {})}],
    }


def _namespace(scope: Scope, environment: Environment) -> Json:
    profile = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    name = scope.namespace(environment)
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": {**labels(scope.system, scope.system, "system"), **profile, **_MESHED.get(scope.mesh, {})},
            **({"annotations": _linkerd(scope)} if scope.mesh == "linkerd" else {}),
        },
    }


def _linkerd(scope: Scope) -> Json:
    """Say who gets a proxy, and where it is not to wait for the client's first word, since servers speak first."""
    ports = sorted({port for server in scope.servers if server in ENGINES for port in _ports(ENGINES[server])})
    opaque = {"config.linkerd.io/opaque-ports": ",".join(map(str, ports))} if ports else {}
    return {"linkerd.io/inject": "enabled", **opaque}


def _ports(engine: Engine) -> set[int]:
    return {engine.port, *engine.peers}


def _sizes(scope: Scope, environment: Environment) -> Iterator[Thing]:
    """Write sizes as patches: all bounds of replicas, and resources where they differ from the base."""
    for service in scope.plan.services:
        yield Thing(body=scaling.bounds(scope, environment, service))
        size, base = scope.size(environment, service), scope.size(scope.environments[-1], service)
        if (size.cpu, size.memory) != (base.cpu, base.memory):
            one = {"name": service.name, "resources": plain(pod.resources(size.cpu, size.memory))}
            spec: Json = {"template": {"spec": {"containers": [one]}}}
            yield Thing(
                body={"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": service.name}, "spec": spec}
            )


def _engine(scope: Scope, environment: Environment, server: str, folder: str) -> Iterator[Made]:
    engine = ENGINES[server]
    yield Entry(folder=folder, field="resources", value=f"../../engines/{server}")
    if patches := tuple(Thing(body=body) for body in engine.patches(scope, environment)):
        yield Sheet(path=f"{folder}/{server}-disk.yaml", things=patches)
        yield Entry(folder=folder, field="patches", value={"path": f"{server}-disk.yaml"})
    own = (*engine.secrets(scope, environment), *engine.extras(scope, environment))
    if own:
        yield Sheet(path=f"{folder}/{server}.yaml", things=own)


def engines(scope: Scope) -> Iterator[Made]:
    """Make the servers that run in the cluster in some environment."""
    for server in scope.servers:
        if any(scope.place(environment, server) == "cluster" for environment in scope.environments):
            yield from ENGINES[server].make(scope)
