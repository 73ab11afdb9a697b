"""AuthorizationPolicies: nobody may call anything, but for the declared calls, operation by operation."""

from collections.abc import Iterator, Sequence

from shoal.deploy.kubernetes import paths
from shoal.deploy.kubernetes.engines.table import ENGINES
from shoal.deploy.kubernetes.istio import who
from shoal.deploy.kubernetes.naming import labels
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.sheet import Made, Sheet, Thing, sheet
from shoal.deploy.yaml import Json
from shoal.mesh.routes import Operation, in_order
from shoal.model.plan import Grant, ServicePlan


def policy(scope: Scope, name: str, about: Json, rules: Sequence[Json], component: str = "service") -> Json:
    """Allow what the rules say; without rules, nothing."""
    marks = labels(scope.system, name, component)  # type: ignore[arg-type]
    spec: Json = {**about, **({"action": "ALLOW", "rules": list(rules)} if rules else {})}
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": name, "labels": marks},
        "spec": spec,
    }


def make(scope: Scope) -> Iterator[Made]:
    """Make the policies of every service, and of the servers in the cluster."""
    deny = Thing(body=policy(scope, "default-deny", {}, (), "mesh"), why="What no other policy allows is refused.")
    yield Sheet(path="base/mesh/access.yaml", things=(deny,))
    for service in scope.plan.services:
        source = scope.declared(service).source
        things = [
            Thing(
                body=policy(scope, service.name, who.target(scope, service.name), rules(scope, service)), source=source
            )
        ]
        if scope.mesh == "istio-ambient":
            only = [{"from": [{"source": {"principals": [who.principal(scope, who.WAYPOINT)]}}]}]
            about = {
                "selector": {
                    "matchLabels": {"app.kubernetes.io/name": service.name, "app.kubernetes.io/part-of": scope.system}
                }
            }
            body = policy(scope, f"{service.name}-by-waypoint", about, only)
            things.append(Thing(body=body, why="Operations are told apart by the waypoint, so nobody passes by it."))
        yield Sheet(path=f"base/{service.name}/access.yaml", things=tuple(things))
    for server in scope.servers:
        if (
            server in ENGINES
            and ENGINES[server].meshed
            and any(scope.place(e, server) == "cluster" for e in scope.environments)
        ):
            yield sheet(f"engines/{server}/access.yaml", _engine(scope, server))


def rules(scope: Scope, service: ServicePlan) -> list[Json]:
    """Write the rules of a service: one for each set of callers, its operations in it.

    A template also fits what a literal path beside it serves, so those are taken out of it (``notPaths``): a grant
    for ``/orders/{id}`` opens no ``/orders/summary``.
    """
    by_callers: dict[tuple[str, ...], list[Grant]] = {}
    for grant in in_order(service.grants):
        if grant.callers:
            by_callers.setdefault(grant.callers, []).append(grant)
    return [
        {"from": [{"source": {"principals": who.principals(scope, callers)}}], "to": operations(grants, service.grants)}
        for callers, grants in by_callers.items()
    ]


def operations(some: Sequence[Operation], others: Sequence[Operation]) -> list[Json]:
    """Write some of all operations; those with one method that nothing is taken out of share an entry."""
    plain: dict[str, list[str]] = {}
    found: list[Json] = []
    for one in some:
        besides = paths.closer(one, others)
        if besides:
            found.append(_operation(one.method, [paths.template(one.path)], besides))
        else:
            plain.setdefault(one.method, []).append(paths.template(one.path))
    return [*(_operation(method, some) for method, some in plain.items()), *found]


def _operation(method: str, some: list[str], besides: Sequence[str] = ()) -> Json:
    return {"operation": {"methods": [method], "paths": some, **({"notPaths": list(besides)} if besides else {})}}


def _engine(scope: Scope, server: str) -> Json:
    """Let the users of a server connect, and its replicas to each other; what they say is the server's own matter."""
    engine = ENGINES[server]
    clients = [one.name for one in scope.users(server)] + (
        ["streams"] if server == "nats" and scope.plan.streams else []
    )
    ports = [str(port) for port in dict.fromkeys((*engine.peers, engine.port))]
    found: list[Json] = [
        {
            "from": [{"source": {"principals": [who.principal(scope, name) for name in clients]}}],
            "to": [{"operation": {"ports": [str(engine.port)]}}],
        },
        {
            "from": [{"source": {"principals": [who.principal(scope, server)]}}],
            "to": [{"operation": {"ports": ports}}],
        },
    ]
    if server == "nats":
        found.append({"to": [{"operation": {"ports": ["8222"]}}]})  # numbers only; the network says who
    return policy(scope, server, {"selector": {"matchLabels": engine.selector(scope.system)}}, found, "engine")
