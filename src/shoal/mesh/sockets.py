"""WebSockets: an upgrade passes where a socket is declared and nowhere else, and from pages that may."""

from shoal.mesh import routes
from shoal.mesh.feature import Feature
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json, typed
from shoal.mesh.upstream import OPTIONS
from shoal.model.origins import origins
from shoal.model.plan import GATEWAY, Grant, Route, ServicePlan

_BUFFER = "envoy.filters.http.buffer"
_PER_ROUTE = "envoy.extensions.filters.http.buffer.v3.BufferPerRoute"

_UPGRADE = {"upgrade_configs": [{"upgrade_type": "websocket"}]}
_ASKED = {"name": "upgrade", "string_match": {"exact": "websocket", "ignore_case": True}}

_CONNECT: Json = {"http2_protocol_options": {"allow_connect": True}}
"""Between the hops an upgrade is an extended CONNECT (RFC 8441)."""


def serves(scope: Scope, service: str) -> bool:
    """Say whether a service has sockets."""
    return any(endpoint.edge.socket is not None for endpoint in scope.plan.system.service(service).endpoints)


def _edge_route(_: Scope, route: Route) -> Json:
    """Let the upgrade pass; what comes after it has no end that could be waited for."""
    if route.edge.socket is None:
        return {}
    return {"route": _UPGRADE, "typed_per_filter_config": {_BUFFER: typed(_PER_ROUTE, disabled=True)}}


def _strangers(scope: Scope) -> list[Json]:
    """Refuse upgrades for pages of other origins, whose visitor does not know of them."""
    known = origins(scope.plan)
    found = [route for route in (*scope.plan.aliases, *scope.plan.routes) if route.edge.socket is not None]
    return [] if known is None else [_stranger(route, known) for route in routes.in_order(found)]


def _stranger(route: Route, known: tuple[str, ...]) -> Json:
    other = [{"name": "origin", "string_match": {"exact": one}, "invert_match": True} for one in known]
    match = routes.matches(route)
    headers = [*match["headers"], _ASKED, {"name": "origin", "present_match": True}, *other]
    return routes.refuse(f"other origin {route.path}", match | {"headers": headers}, 403)


def _inbound_route(scope: Scope, service: ServicePlan, grant: Grant) -> Json:
    endpoint = scope.plan.system.service(service.name).endpoint(grant.endpoint)
    return {} if endpoint is None or endpoint.edge.socket is None else {"route": _UPGRADE}


def _inbound_manager(scope: Scope, service: ServicePlan) -> Json:
    return _CONNECT if serves(scope, service.name) else {}


def _hop(scope: Scope, caller: str, service: str) -> Json:
    if caller != GATEWAY or not serves(scope, service):
        return {}
    return {"typed_extension_protocol_options": {OPTIONS: {"explicit_http_config": _CONNECT}}}


FEATURE = Feature(
    edge_routes=_strangers,
    edge_route=_edge_route,
    inbound_route=_inbound_route,
    inbound_manager=_inbound_manager,
    hop=_hop,
)
