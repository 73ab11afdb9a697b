"""Everything that Linkerd is told: a Server and its routes for each service, and who may take each route."""

from collections.abc import Iterator

from shoal.deploy.kubernetes import paths
from shoal.deploy.kubernetes.edge import EDGE
from shoal.deploy.kubernetes.linkerd import besides
from shoal.deploy.kubernetes.naming import HTTP, joined, labels, selector
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.sheet import Made, Sheet, Thing
from shoal.deploy.yaml import Json
from shoal.mesh.routes import in_order
from shoal.model import names
from shoal.model.plan import GATEWAY, Grant, ServicePlan

_POLICY = "policy.linkerd.io"
PROBED = ("/health", "/ready")
"""What the kubelet asks for."""

_MATCHES, _RULES = 8, 16
"""Matches of a rule, and rules of a route, at most."""


def make(scope: Scope) -> Iterator[Made]:
    """Make it."""
    for service in scope.plan.services:
        source = scope.declared(service).source
        things = tuple(Thing(body=body, source=source) for body in _service(scope, service))
        yield Sheet(path=f"base/{service.name}/access.yaml", things=things)


def _service(scope: Scope, service: ServicePlan) -> Iterator[Json]:
    yield _object(scope, f"{_POLICY}/v1beta3", "Server", service.name, {
        "podSelector": {"matchLabels": selector(scope.system, service.name)},
        "port": HTTP,
        "proxyProtocol": "HTTP/1",
        "accessPolicy": "deny",
    })  # fmt: skip
    by_callers: dict[tuple[str, ...], list[Grant]] = {}
    for grant in in_order(service.grants):  # also without callers: or a template would take its requests
        by_callers.setdefault(grant.callers, []).append(grant)
    most = _MATCHES * _RULES
    parts = [
        (callers, all_[at : at + most]) for callers, all_ in by_callers.items() for at in range(0, len(all_), most)
    ]
    for number, (callers, grants) in enumerate(parts, start=1):
        name = joined(service.name, str(number))
        yield _route(scope, service, name, grants)
        if callers:
            yield _identities(scope, name, callers)
            yield _allowed(scope, name)
    yield from _probes(scope, service)


def _probes(scope: Scope, service: ServicePlan) -> Iterator[Json]:
    """Let the kubelet ask: it has no identity, and where routes are listed nobody else is let in for it."""
    name = joined(service.name, "probes")
    matches = [{"path": paths.match(path), "method": "GET"} for path in PROBED]
    parent = {"group": _POLICY, "kind": "Server", "name": service.name}
    yield _object(
        scope, f"{_POLICY}/v1beta3", "HTTPRoute", name, {"parentRefs": [parent], "rules": [{"matches": matches}]}
    )
    networks = [{"cidr": cidr} for cidr in ("0.0.0.0/0", "::/0")]
    yield _object(scope, f"{_POLICY}/v1alpha1", "NetworkAuthentication", name, {"networks": networks})
    yield _allowed(scope, name, "NetworkAuthentication")


def _route(scope: Scope, service: ServicePlan, name: str, grants: list[Grant]) -> Json:
    matches = [{"path": besides.match(grant, service.grants, PROBED), "method": grant.method} for grant in grants]
    rules = [{"matches": matches[at : at + _MATCHES]} for at in range(0, len(matches), _MATCHES)]
    parent = {"group": _POLICY, "kind": "Server", "name": service.name}
    return _object(scope, f"{_POLICY}/v1beta3", "HTTPRoute", name, {"parentRefs": [parent], "rules": rules})


def _identities(scope: Scope, name: str, callers: tuple[str, ...]) -> Json:
    references = [{"kind": "ServiceAccount", "name": account_of(scope, caller)} for caller in callers]
    return _object(scope, f"{_POLICY}/v1alpha1", "MeshTLSAuthentication", name, {"identityRefs": references})


def _allowed(scope: Scope, name: str, by: str = "MeshTLSAuthentication") -> Json:
    required = {"group": _POLICY, "kind": by, "name": name}
    about = {"group": _POLICY, "kind": "HTTPRoute", "name": name}
    return _object(
        scope,
        f"{_POLICY}/v1alpha1",
        "AuthorizationPolicy",
        name,
        {"targetRef": about, "requiredAuthenticationRefs": [required]},
    )


def account_of(scope: Scope, identity: str) -> str:
    """Find the service account of an identity of the plan."""
    name = identity.removeprefix(names.identity(scope.system, ""))
    return f"{EDGE}-{scope.environments[0].gateway_class}" if name == GATEWAY else name


def _object(scope: Scope, version: str, kind: str, name: str, spec: Json) -> Json:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "labels": labels(scope.system, name, "mesh")},
        "spec": spec,
    }
