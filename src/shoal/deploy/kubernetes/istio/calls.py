"""How calls are carried: bounded in time, and repeated only where no application can have seen them.

With proxies in pods a VirtualService says so, without them an HTTPRoute at the waypoint.
"""

from collections.abc import Iterator, Sequence

from shoal.deploy.kubernetes import paths
from shoal.deploy.kubernetes.kinds.httproute import MATCHES, backend, httproute, portions
from shoal.deploy.kubernetes.naming import PORT, joined, meta
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.yaml import Json, Noted
from shoal.mesh.routes import in_order
from shoal.model.plan import Grant, ServicePlan

UNSEEN = "connect-failure,refused-stream,reset-before-request"
"""What a proxy may repeat, whatever the method: the caller repeats the rest, by its own policy and budget."""

ATTEMPTS = 3


def lasting(scope: Scope, service: ServicePlan) -> set[str]:
    """Name the operations that go on, so that how long says nothing."""
    return {endpoint.name for endpoint in scope.declared(service).endpoints if endpoint.edge.goes_on}


def virtual(scope: Scope, service: ServicePlan) -> Json:
    """Make the VirtualService of a service; what is no operation of it is answered 404."""
    why = "Istio would repeat twice whatever it is. One layer repeats, and that is the caller."
    found: list[object] = []
    for timeout, grants in _neighbours(scope, service):
        entry: Json = {
            "name": grants[0].endpoint.replace("_", "-"),
            "match": [{"method": {"exact": grant.method}, "uri": uri(grant)} for grant in grants],
            **({"timeout": timeout} if timeout != "0s" else {}),  # Istio ends nothing by itself
            "retries": {"attempts": ATTEMPTS, "retryOn": UNSEEN},
            "route": [{"destination": {"host": service.name, "port": {"number": PORT}}}],
        }
        if not found:
            entry["retries"] = Noted(entry["retries"], why)
        found.append(entry)
    spec = {"hosts": [service.name], "http": found}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": meta(scope.system, service.name),
        "spec": spec,
    }


def routes(scope: Scope, service: ServicePlan) -> Iterator[Json]:
    """Make the HTTPRoutes of a service for its callers inside."""
    parent = {"group": "", "kind": "Service", "name": service.name, "port": PORT}
    by_timeout: dict[str, list[Json]] = {}
    for timeout, grants in _neighbours(scope, service):
        matches = by_timeout.setdefault(timeout, [])
        matches += [{"path": paths.match(grant.path), "method": grant.method} for grant in grants]
    rules: list[Json] = [
        {
            "matches": matches[at : at + MATCHES],
            "backendRefs": [backend(service.name)],
            "timeouts": {"request": timeout},
        }
        for timeout, matches in by_timeout.items()
        for at in range(0, len(matches), MATCHES)
    ]
    for number, some in enumerate(portions(rules), start=1):
        name = joined(service.name, "inside", *([str(number)] if number > 1 else []))
        yield httproute(scope.system, name, parent, some, component="mesh")


def _neighbours(scope: Scope, service: ServicePlan) -> Iterator[tuple[str, Sequence[Grant]]]:
    """Group operations that follow each other and take as long; the closest match comes first."""
    forever, group, last = lasting(scope, service), list[Grant](), ""
    for grant in in_order(service.grants):
        timeout = "0s" if grant.endpoint in forever else paths.milliseconds(grant.policy.timeout)
        if group and timeout != last:
            yield last, group
            group = []
        group.append(grant)
        last = timeout
    if group:
        yield last, group


def uri(grant: Grant) -> Json:
    """Match a path template."""
    return {"exact": grant.path} if "{" not in grant.path else {"regex": paths.expression(grant.path)}
