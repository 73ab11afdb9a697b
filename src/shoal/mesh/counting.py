"""Limits that are counted for all gateways: Envoy asks a service whether a caller's bucket has a token left.

It is Envoy's standard filter and protocol, so anything that speaks it will do: `shoal.local.limiter` here, and
envoyproxy/ratelimit on a cluster. Before it stands a bucket of the same size in the gateway itself. Who has emptied
that one is refused without a call, and when the count is away it is what limits.
"""

from shoal.mesh import filters, limits, proto, upstream
from shoal.mesh.endpoints import assignment
from shoal.mesh.feature import Feature
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json, seconds, typed
from shoal.model.artifact import Artifact
from shoal.model.plan import GATEWAY, Route

LIMITS = "limits.json"
"""Name of the artifact that tells the limiter what to count."""

OPERATION = "operation"
"""Key of the first part of every descriptor."""

PATIENCE = 0.1
"""Seconds that a request waits for the count before it passes without."""

_COUNT = "envoy.filters.http.ratelimit"
_BACKSTOP = "shoal.backstop"
_CLUSTER = "limiter"
_PER_ROUTE = "envoy.extensions.filters.http.ratelimit.v3.RateLimitPerRoute"


def _counted(scope: Scope) -> list[Route]:
    here = GATEWAY in scope.layout.served
    return [route for route in scope.plan.routes if here and limits.counted(route)]


def _filters(scope: Scope) -> tuple[Json, ...]:
    counted = _counted(scope)
    if not counted:
        return ()
    count = filters.http_filter(
        _COUNT,
        domain=scope.plan.system.name,
        timeout=seconds(PATIENCE),
        failure_mode_deny=False,
        enable_x_ratelimit_headers="DRAFT_VERSION_03",
        response_headers_to_add=[limits.MARKED],
        rate_limit_service={
            "transport_api_version": "V3",
            "grpc_service": {"envoy_grpc": {"cluster_name": _CLUSTER}},
        },
    )
    return limits.buckets(_BACKSTOP, _BACKSTOP, counted), count


def _route(_: Scope, route: Route) -> Json:
    if not limits.counted(route):
        return {}
    named = {"generic_key": {"descriptor_key": OPERATION, "descriptor_value": limits.operation(route)}}
    asked = [{"actions": [named, *who]} for who in limits.WHO[limits.whose(route)]]
    told = {_COUNT: typed(_PER_ROUTE, rate_limits=asked)}
    return limits.noted(_BACKSTOP, route) | {"typed_per_filter_config": told}


def _clusters(scope: Scope) -> list[Json]:
    if not _counted(scope):
        return []
    where = assignment(_CLUSTER, (scope.layout.limiter(),))
    return [upstream.to_listener(_CLUSTER) | {"type": "STATIC", "load_assignment": where}]


def _files(scope: Scope) -> tuple[Artifact, ...]:
    """Tell the limiter how much each operation lets through."""
    found = {
        limits.operation(route): {"requests": limit.requests, "per": limit.per, "size": limit.size}
        for route in _counted(scope)
        if (limit := route.edge.limit)
    }
    return (proto.document(LIMITS, found),) if found else ()


FEATURE = Feature(edge_filters=_filters, edge_route=_route, clusters=_clusters, files=_files)
