"""HTTPRoutes of Gateway API: from a gateway, or from the callers of a service, to a service."""

from collections.abc import Iterable, Iterator, Sequence

from shoal.deploy.kubernetes.naming import PORT, Component, labels
from shoal.deploy.yaml import Json

RULES = 16
"""Rules of one HTTPRoute at most."""

MATCHES = 64
"""Matches of one rule at most."""

TOGETHER = 128
"""Matches of one HTTPRoute at most."""


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


def portions(rules: Iterable[Json]) -> Iterator[list[Json]]:
    """Part rules into as few HTTPRoutes as may hold them."""
    some: list[Json] = []
    for rule in rules:
        matches = sum(len(one["matches"]) for one in some) + len(rule["matches"])
        if some and (len(some) == RULES or matches > TOGETHER):
            yield some
            some = []
        some.append(rule)
    if some:
        yield some
