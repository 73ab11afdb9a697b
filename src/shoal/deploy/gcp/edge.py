"""The door from outside: the routes that are exposed, and nothing else, by a balancer or by an API Gateway."""

import math
from collections.abc import Iterator

from shoal.deploy.gcp.resources import Door, Inside, Limit, Reached, Resource
from shoal.deploy.gcp.resources import Route as Served
from shoal.deploy.gcp.scope import Scope
from shoal.model.limits import RateLimit
from shoal.model.plan import Route

INTERVALS = (10, 30, 60, 120, 180, 240, 300, 600, 900, 1200, 1800, 2700, 3600)
"""Seconds over which Cloud Armor counts (its reference, "Rate limiting: interval")."""

LONGEST = {"balancer": 3600.0, "gateway": 600.0}
"""Seconds that each kind of door waits for an answer at most ("deadline" of API Gateway; Cloud Run's own limit)."""


def make(scope: Scope) -> Iterator[Resource]:
    """Make the door, and the balancer inside."""
    environment, cors = scope.environment, scope.plan.system.gateway.cors
    if not scope.run:
        return
    if environment.inside and not scope.passive:
        services = tuple(service.name for service in scope.plan.services)
        yield Inside(name="main", domain=scope.domain, services=services)
    if not scope.plan.routes:
        return
    if environment.standby is not None:
        for service in scope.exposed:
            why = "The balancer is in the folder of the second region, which turns it."
            yield Reached(name=service, service=service, why=why)
        return
    yield Door(
        name="main",
        kind="balancer" if environment.balanced else "gateway",
        routes=tuple(_route(scope, route) for route in served(scope)),
        hosts=environment.hosts,
        firewall=environment.firewall,
        origins=cors.origins if cors is not None else (),
        methods=(cors.methods or tuple(sorted({r.method for r in scope.plan.routes}))) if cors is not None else (),
        headers=cors.headers if cors is not None else (),
        exposed=cors.exposed if cors is not None else (),
        credentials=cors.credentials if cors is not None else False,
        age=int(cors.max_age) if cors is not None else 0,
        region=scope.first.region if scope.first is not None else "",
    )


def served(scope: Scope) -> list[Route]:
    """List the routes that the door serves: each method and path once, and no conversations by an API Gateway."""
    found: dict[str, Route] = {}
    for route in scope.plan.routes:
        if route.edge.socket is None or scope.environment.balanced:
            found.setdefault(f"{route.method} {route.path}", route)
    return list(found.values())


def _route(scope: Scope, route: Route) -> Served:
    kind = "balancer" if scope.environment.balanced else "gateway"
    transform = route.edge.transform
    asked = transform.request if transform is not None else None
    endpoint = scope.plan.system.service(route.service).endpoint(route.endpoint)
    parameters = endpoint.parameters if endpoint is not None else ()
    return Served(
        method=route.method,
        path=route.path,
        inside=route.inside,
        service=route.service,
        seconds=min(max(route.policy.timeout, 0.05), LONGEST[kind]),
        set=dict(asked.set) if asked is not None else {},
        add=dict(asked.add) if asked is not None else {},
        remove=tuple(asked.remove) if asked is not None else (),
        limit=counted(route.edge.limit) if route.edge.limit is not None else None,
        parameters={one.name: str(one.schema.get("type", "string")) for one in parameters if one.place == "path"},
        summary=endpoint.summary if endpoint is not None else "",
    )


def counted(limit: RateLimit) -> Limit:
    """Count over the shortest time in which a full bucket is emptied and filled, and no bucket holds less.

    Who is not everyone is an address: a firewall verifies no token, so whoever sends another one with each request
    would never be refused. It would read the first 128 bytes of one, too, in which tokens of an issuer are alike
    ("Rate limiting": HTTP_HEADER).
    """
    wanted = max(limit.per, limit.size * limit.per / limit.requests)
    seconds = next((one for one in INTERVALS if one >= wanted), INTERVALS[-1])
    count = max(1, math.ceil(limit.requests * seconds / limit.per))
    return Limit(count=count, seconds=seconds, by="everyone" if limit.by == "everyone" else "address")
