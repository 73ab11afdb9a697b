"""Routes of old applications at the edge: to them, to the services that take over, or to both.

Comparing needs both answers, and Envoy throws those of mirrored requests away. So a copy of the request goes to a
process beside Envoy, `PARITY`, which asks both sides again through a listener of its own; nobody waits for it.
"""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from shoal.mesh import routes, transformation, upstream
from shoal.mesh.endpoints import assignment
from shoal.mesh.hops import hop
from shoal.mesh.layout import Address
from shoal.mesh.manager import Entrance, Scope
from shoal.mesh.proto import Json
from shoal.model.legacy import comparable
from shoal.model.plan import GATEWAY, Route
from shoal.model.service import shape
from shoal.model.takeover import Key, Takeover

PARITY = "parity"
"""Name of the listener through which both sides are asked, and of the cluster that gets the copies."""

SIDE_HEADER = "x-shoal-side"
"""Says to that listener which side is meant: ``legacy`` or ``new``."""

_KEPT = frozenset(
    {
        "match", "route", "direct_response",
        "request_headers_to_add", "request_headers_to_remove", "response_headers_to_add", "response_headers_to_remove",
    }
)  # fmt: skip
_CHANGING = frozenset({transformation.QUERY})


Build = Callable[[Route], Json]
"""Writes a declared route, with everything that its endpoint asks of the edge."""


def served(scope: Scope) -> list[Route | Takeover]:
    """List what the edge serves, the closest match first: declared routes, and old ones that no service declares."""
    alone: list[Route | Takeover] = [one for one in scope.takeovers if not one.service]
    return routes.in_order([*scope.plan.aliases, *scope.plan.routes, *alone])


def written(scope: Scope, build: Build) -> Iterator[Json]:
    """Write the routes of what is served.

    While the old application answers, nothing of what the service declares is asked of its callers; from the first
    request that the service answers, all of it is asked of everyone.
    """
    by_key = {one.key: one for one in scope.takeovers}
    left: set[Key] = set()
    for operation in served(scope):
        takeover = operation if isinstance(operation, Takeover) else by_key.get(_key(operation))
        if takeover is None and isinstance(operation, Route):
            yield build(operation)
        elif takeover is not None and (isinstance(operation, Takeover) or takeover.route.state in ("record", "shadow")):
            yield from () if takeover.key in left else (_to_legacy(takeover),)  # whatever version is asked for
            left.add(takeover.key)
        elif takeover is not None and isinstance(operation, Route):
            yield from _to_service(takeover, operation, build)


def entrances(scope: Scope, build: Build) -> Iterable[Entrance]:
    """Describe the listener through which both sides are asked; none where nothing can be compared."""
    compared = _comparable(scope.takeovers)
    if not compared or GATEWAY not in scope.layout.served:
        return
    found = [side for one in routes.in_order(compared) for side in _sides(scope, one, build)]
    host = {"name": PARITY, "domains": ["*"], "routes": found, "request_headers_to_remove": [SIDE_HEADER]}
    yield Entrance(
        name=PARITY,
        address=scope.layout.parity_out(),
        routes={"name": PARITY, "virtual_hosts": [host]},
        filters=transformation.query_filters(scope),
        manager={"use_remote_address": False, "server_header_transformation": "PASS_THROUGH"},
        listener={"ignore_global_conn_limit": True},
    )


def clusters(scope: Scope) -> Iterable[Json]:
    """Reach old applications, and the process that compares.

    They are there whatever the states of the routes, so that a change of state is one of routes alone.
    """
    found = scope.takeovers if GATEWAY in scope.layout.served else ()
    for name in sorted({one.application for one in found}):
        yield _cluster(legacy_cluster(name), scope.layout.legacy(name))
    if _comparable(found):
        yield _cluster(PARITY, scope.layout.parity_in())


def cluster_of(operation: Route | Takeover) -> str:
    """Name the cluster that answers what is served, where no state of a takeover says otherwise."""
    if isinstance(operation, Route):
        return hop(GATEWAY, operation.service)
    return legacy_cluster(operation.application)


def legacy_cluster(application: str) -> str:
    """Name the cluster of an old application."""
    return f"legacy.{application}"


def prefix(takeover: Takeover) -> str:
    """Name what Envoy counts of one route."""
    return f"takeover-{takeover.route.name}"


def _key(route: Route) -> Key:
    return route.method, shape(route.path)


def _comparable(found: Iterable[Takeover]) -> list[Takeover]:
    return [one for one in found if one.service and comparable(one.route)]


def _to_legacy(takeover: Takeover) -> Json:
    route = takeover.route
    action = routes.forward(legacy_cluster(takeover.application), route.policy)
    if route.state == "shadow" and route.sample:
        action |= routes.mirror(PARITY, route.sample)
    return {
        "name": f"{takeover.application}.{route.name}",
        "match": routes.matches(route),
        "route": action,
        "stat_prefix": prefix(takeover),
    }


def _to_service(takeover: Takeover, operation: Route, build: Build) -> Iterator[Json]:
    """Send what a service takes over to it, and what is left to the old application, which knows the path as it came.

    Envoy draws once for each request, so that what passes the first route by takes the second.
    """
    entry = build(operation) | {"stat_prefix": prefix(takeover)}
    weight = takeover.route.weight if takeover.route.state == "shift" else 100.0
    if weight >= 100.0 or "route" not in entry:
        yield entry
        return
    if weight > 0.0:
        drawn = {"runtime_fraction": {"default_value": routes.share(weight)}}
        yield entry | {"match": entry["match"] | drawn}
    plain = msgspec.structs.replace(operation.edge, transform=None)
    rest = build(msgspec.structs.replace(operation, inside=operation.path, edge=plain))
    action = rest["route"] | {"cluster": legacy_cluster(takeover.application)}
    yield rest | {"stat_prefix": prefix(takeover), "route": action}


def _sides(scope: Scope, takeover: Takeover, build: Build) -> Iterator[Json]:
    cluster = legacy_cluster(takeover.application)
    old = {"match": routes.matches(takeover.route), "route": routes.forward(cluster, takeover.route.policy)}
    yield _side(takeover, old, "legacy")
    for operation in routes.in_order([*scope.plan.aliases, *scope.plan.routes]):
        if _key(operation) == takeover.key:
            yield _side(takeover, _change(build(operation)), "new")


def _change(entry: Json) -> Json:
    """Keep of a route of the edge what it does to requests and answers: who may ask was asked there."""
    filters = {name: told for name, told in entry.get("typed_per_filter_config", {}).items() if name in _CHANGING}
    kept = {key: value for key, value in entry.items() if key in _KEPT}
    return kept | ({"typed_per_filter_config": filters} if filters else {})


def _side(takeover: Takeover, entry: Json, side: str) -> Json:
    match = routes.with_header(entry["match"], SIDE_HEADER, side)
    return entry | {"name": f"{side} {takeover.route.name}", "match": match}


def _cluster(name: str, where: Address) -> Json:
    return upstream.to_application(name) | {"type": "STATIC", "load_assignment": assignment(name, (where,))}
