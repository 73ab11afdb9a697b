"""Versions of the API: the path without version leads to one by the request's header."""

from shoal.mesh import narrowing, routes
from shoal.mesh.feature import Feature
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json
from shoal.mesh.transformation import rewrite
from shoal.model.plan import Route
from shoal.model.versioning import NONE, UNKNOWN, Wanted


def asks(wanted: Wanted) -> Json:
    """Match a request by what its header says of the version."""
    if wanted.value == NONE:
        return {"name": wanted.header, "present_match": False}
    if wanted.value == UNKNOWN:
        return {"name": wanted.header, "present_match": True}
    return {"name": wanted.header, "string_match": {"exact": wanted.value}}


def _route(_: Scope, route: Route) -> Json:
    """Write the version into the path, by which the service knows it; caches keep versions apart."""
    wanted = route.wanted
    if wanted is None:
        return {}
    vary = {"header": {"key": "vary", "value": wanted.header}, "append_action": "APPEND_IF_EXISTS_OR_ADD"}
    entry = {"match": {"headers": [asks(wanted)]}, "response_headers_to_add": [vary]}
    if route.edge.transform is not None or route.inside == route.path:  # then the path is what it has to be
        return entry
    return entry | {"route": {"regex_rewrite": rewrite(route)}}


def refusal(route: Route) -> Json | None:
    """Write the route for requests that name a version which there is not; None for every other route."""
    wanted = route.wanted
    if wanted is None or wanted.value != UNKNOWN:
        return None
    match = routes.matches(route)
    match["headers"] = [*match["headers"], asks(wanted), *narrowing.asked(route)]
    return routes.refuse(f"unknown version {route.path}", match, 400)


FEATURE = Feature(edge_route=_route)
