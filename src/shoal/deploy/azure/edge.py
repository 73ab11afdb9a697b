"""The door from outside: API Management with the operations that are exposed, and nothing else."""

import hashlib
from collections.abc import Iterator

from shoal.deploy.azure.policies import of_all, of_route
from shoal.deploy.azure.resources import Door, Operation
from shoal.deploy.azure.scope import Scope
from shoal.deploy.cloud.resource import Resource
from shoal.model.plan import Route

LONGEST = 240.0
"""Seconds that a gateway waits for an answer ("forward-request": more may be cut off by what lies between)."""


def make(scope: Scope) -> Iterator[Resource]:
    """Make the door."""
    environment = scope.environment
    if not scope.plan.routes or not scope.apps:
        return
    yield Door(
        name="main",
        tier=environment.gateway,
        publisher=environment.publisher or environment.alarms or f"nobody@{scope.system}.example",
        policy=of_all(scope),
        operations=tuple(_operation(scope, route) for route in served(scope)),
        services=scope.exposed,
        host=environment.hosts[0] if environment.hosts else "",
        certificate=environment.certificate,
        delegated=environment.gateway.partition("_")[0].endswith("V2"),
    )


def served(scope: Scope) -> list[Route]:
    """List the routes that the gateway can serve: no conversations, and each method and path once."""
    found: dict[str, Route] = {}
    for route in scope.plan.routes:
        if route.edge.socket is None:
            found.setdefault(f"{route.method} {_shape(route.path)}", route)
    return list(found.values())


def _shape(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def _operation(scope: Scope, route: Route) -> Operation:
    endpoint = scope.plan.system.service(route.service).endpoint(route.endpoint)
    return Operation(
        name=named(route),
        method=route.method,
        path=route.path,
        summary=(endpoint.summary if endpoint is not None else "") or f"{route.method} {route.path}",
        service=route.service,
        policy=of_route(scope, route, LONGEST),
    )


def named(route: Route) -> str:
    """Name an operation for people, and apart from every other."""
    mark = hashlib.sha256(f"{route.method} {route.path}".encode()).hexdigest()[:6]
    return f"{route.service}-{route.endpoint}".replace("_", "-")[:70] + f"-{mark}"
