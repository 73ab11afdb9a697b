"""HTTPRoutes of Gateway API: from a gateway, or from the callers of a service, to a service."""

from collections.abc import Sequence

from shoal.deploy.kubernetes.naming import PORT, Component, labels
from shoal.deploy.yaml import Json

RULES = 16
"""Rules of one HTTPRoute at most."""

MATCHES = 64
"""Matches of one rule at most."""


def httproute(
    system: str,
    name: str,
    parent: Json,
    rules: Sequence[Json],
    *,
    hostnames: Sequence[str] = (),
    component: Component = "edge",
) -> Json:
    """Make an HTTPRoute."""
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "labels": labels(system, name, component)},
        "spec": {
            "parentRefs": [parent],
            **({"hostnames": list(hostnames)} if hostnames else {}),
            "rules": list(rules),
        },
    }


def backend(service: str, **more: object) -> Json:
    """Lead to a service."""
    return {"name": service, "port": PORT, **more}
