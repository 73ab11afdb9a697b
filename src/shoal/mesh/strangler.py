"""Routes of old applications at the edge: to them, to the services that take over, or to both.

Comparing needs both answers, and Envoy throws those of mirrored requests away. So a copy of the request goes to a
process beside Envoy, `PARITY`, which asks both sides again through a listener of its own; nobody waits for it.
"""

from collections.abc import Callable, Iterable

from shoal.mesh import proto, routes
from shoal.mesh.endpoints import assignment
from shoal.mesh.hops import hop
from shoal.mesh.layout import Address
from shoal.mesh.manager import Entrance, Scope
from shoal.mesh.proto import Json, seconds
from shoal.model.legacy import comparable
from shoal.model.plan import GATEWAY, Route
from shoal.model.service import shape
from shoal.model.takeover import Takeover, takeovers

PARITY = "parity"
"""Name of the listener through which both sides are asked, and of the cluster that gets the copies."""

SIDE_HEADER = "x-shoal-side"
"""Says to that listener which side is meant: ``legacy`` or ``new``."""

_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def served(scope: Scope) -> list[Route | Takeover]:
    """List what the edge serves, the closest match first: declared routes, and old ones that no service declares."""
    alone: list[Route | Takeover] = [one for one in _takeovers(scope) if not one.service]
    return routes.in_order([*scope.plan.aliases, *scope.plan.routes, *alone])


def turned(scope: Scope, operation: Route | Takeover, build: Callable[[Route], Json]) -> Json:
    """Write one route of the edge.

    While the old application answers, nothing of what the service declares is asked of its callers; from the first
    request that the service answers, all of it is asked of everyone.
    """
    if isinstance(operation, Takeover):
        return _to_legacy(operation)
    key = (operation.method, shape(operation.path))
    takeover = next((one for one in _takeovers(scope) if (one.method, shape(one.path)) == key), None)
    if takeover is None:
        return build(operation)
    if takeover.route.state in ("record", "shadow"):
        return _to_legacy(takeover)
    entry = build(operation) | {"stat_prefix": prefix(takeover)}
    return _shifted(takeover, entry) if takeover.route.state == "shift" else entry


def entrances(scope: Scope) -> Iterable[Entrance]:
    """Describe the listener through which both sides are asked; none where nothing can be compared."""
    compared = _comparable(_takeovers(scope))
    if not compared or GATEWAY not in scope.layout.served:
        return
    found = [_side(one, side) for one in routes.in_order(compared) for side in ("legacy", "new")]
    host = {"name": PARITY, "domains": ["*"], "routes": found, "request_headers_to_remove": [SIDE_HEADER]}
    yield Entrance(
        name=PARITY,
        address=scope.layout.parity_out(),
        routes={"name": PARITY, "virtual_hosts": [host]},
        manager={"use_remote_address": False, "server_header_transformation": "PASS_THROUGH"},
        listener={"ignore_global_conn_limit": True},
    )


def clusters(scope: Scope) -> Iterable[Json]:
    """Reach old applications, and the process that compares.

    They are there whatever the states of the routes, so that a change of state is one of routes alone.
    """
    found = _takeovers(scope) if GATEWAY in scope.layout.served else ()
    for name in sorted({one.application for one in found}):
        yield _cluster(legacy_cluster(name), scope.layout.legacy(name))
    if _comparable(found):
        yield _cluster(PARITY, scope.layout.parity_in())


def legacy_cluster(application: str) -> str:
    """Name the cluster of an old application."""
    return f"legacy.{application}"


def prefix(takeover: Takeover) -> str:
    """Name what Envoy counts of one route."""
    return f"takeover-{takeover.route.name}"


def _takeovers(scope: Scope) -> tuple[Takeover, ...]:
    return takeovers(scope.plan.system, scope.plan.target) if scope.plan.system.gateway.legacy else ()


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


def _shifted(takeover: Takeover, entry: Json) -> Json:
    """Divide what a service takes over between it and the old application."""
    weight, action = takeover.route.weight, entry["route"]
    shares = {action["cluster"]: weight, legacy_cluster(takeover.application): 100.0 - weight}
    used = {cluster: part for cluster, part in shares.items() if part > 0}
    rest = {key: value for key, value in action.items() if key != "cluster"}
    if len(used) == 1:
        return entry | {"route": {"cluster": next(iter(used)), **rest}}
    return entry | {"route": {**routes.weighted(used, takeover.route.policy), **rest}}


def _side(takeover: Takeover, side: str) -> Json:
    cluster = legacy_cluster(takeover.application) if side == "legacy" else hop(GATEWAY, takeover.service)
    return {
        "name": f"{side} {takeover.route.name}",
        "match": routes.with_header(routes.matches(takeover.route), SIDE_HEADER, side),
        "route": routes.forward(cluster, takeover.route.policy),
    }


def _cluster(name: str, where: Address) -> Json:
    protocol = proto.typed(
        _HTTP,
        common_http_protocol_options={"idle_timeout": seconds(4.0)},
        explicit_http_config={"http_protocol_options": {}},
    )
    return {
        "name": name,
        "connect_timeout": seconds(1.0),
        "type": "STATIC",
        "load_assignment": assignment(name, (where,)),
        "typed_extension_protocol_options": {_HTTP: protocol},
    }
