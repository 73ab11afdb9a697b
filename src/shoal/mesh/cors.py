"""Browsers' questions about other origins: answered by the edge alone, before anybody asks for a token."""

from collections.abc import Iterable

from shoal.mesh import filters, routes, strangler
from shoal.mesh.feature import Feature
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json, typed
from shoal.model.cors import ANY, Cors
from shoal.model.plan import Route
from shoal.model.service import shape
from shoal.model.takeover import Takeover

_FILTER = "envoy.filters.http.cors"
_POLICY = "envoy.extensions.filters.http.cors.v3.CorsPolicy"

_VARY = {"header": {"key": "vary", "value": "origin"}, "append_action": "APPEND_IF_EXISTS_OR_ADD"}
"""Answers differ by origin, so that no cache may give one's answer to another (Fetch, CORS)."""


def _filters(scope: Scope) -> tuple[Json, ...]:
    return () if scope.plan.system.gateway.cors is None else (filters.http_filter(_FILTER),)


def _host(scope: Scope) -> Json:
    """Say it once for all routes."""
    cors = scope.plan.system.gateway.cors
    if cors is None:
        return {}
    policy = {"typed_per_filter_config": {_FILTER: _policy(cors, {one.method for one in strangler.served(scope)})}}
    return policy if ANY in cors.origins else policy | {"response_headers_to_add": [_VARY]}


def _preflights(scope: Scope) -> list[Json]:
    """Let preflights for the paths that are served reach the filter, which answers each; none goes any further.

    The filter looks at nothing but routes that lead to a service, so each names one.
    """
    if scope.plan.system.gateway.cors is None:
        return []
    paths = {shape(one.path): one for one in strangler.served(scope)}
    return [_preflight(one) for one in paths.values()]


def _preflight(one: Route | Takeover) -> Json:
    asked = [{"name": name, "present_match": True} for name in ("origin", "access-control-request-method")]
    method = {"name": ":method", "string_match": {"exact": "OPTIONS"}}
    return {
        "name": f"preflight {one.path}",
        "match": routes.matches_path(one.path) | {"headers": [method, *asked]},
        "route": {"cluster": strangler.cluster_of(one)},
    }


def _policy(cors: Cors, served: Iterable[str]) -> Json:
    return typed(
        _POLICY,
        allow_origin_string_match=[_match(origin) for origin in cors.origins],
        allow_methods=", ".join(cors.methods or sorted(served)),
        allow_headers=", ".join(cors.headers),
        expose_headers=", ".join(cors.exposed),
        max_age=str(round(cors.max_age)),
        allow_credentials=cors.credentials,
        forward_not_matching_preflights=False,
    )


def _match(origin: str) -> Json:
    return {"safe_regex": {"regex": ".*"}} if origin == ANY else {"exact": origin}


FEATURE = Feature(edge_filters=_filters, edge_host=_host, edge_routes=_preflights)
