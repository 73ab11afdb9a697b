"""Whom a policy means: principals by their service accounts, workloads by labels or by the name they are called by."""

from collections.abc import Iterable

from shoal.deploy.kubernetes.edge import EDGE
from shoal.deploy.kubernetes.naming import selector
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.yaml import Json
from shoal.model import names
from shoal.model.plan import GATEWAY

WAYPOINT = "waypoint"
"""Name of the Gateway through which calls go in a mesh without proxies in pods."""


def principal(scope: Scope, account: str) -> str:
    """Name an identity of the mesh; overlays put their namespace in the place of the system's name."""
    return f"{scope.environments[0].trust_domain}/ns/{scope.system}/sa/{account}"


def account_of(scope: Scope, identity: str) -> str:
    """Find the service account of an identity of the plan; Istio names a gateway's after it and its class."""
    name = identity.removeprefix(names.identity(scope.system, ""))
    return f"{EDGE}-{scope.environments[0].gateway_class}" if name == GATEWAY else name


def principals(scope: Scope, identities: Iterable[str]) -> list[str]:
    """Name several."""
    return [principal(scope, account_of(scope, identity)) for identity in identities]


def target(scope: Scope, service: str) -> Json:
    """Mean a service: its pods, or where there are no proxies in pods its name, which the waypoint answers for."""
    if scope.mesh == "istio-ambient":
        return {"targetRefs": [{"group": "", "kind": "Service", "name": service}]}
    return {"selector": {"matchLabels": selector(scope.system, service)}}


def gateway(name: str = EDGE) -> Json:
    """Mean a Gateway."""
    return {"targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": name}]}
