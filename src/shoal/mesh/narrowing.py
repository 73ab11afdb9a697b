"""Routes that are there for some hosts, or for requests with some headers, only."""

import re
from collections.abc import Iterator

from shoal.mesh import routes
from shoal.mesh.feature import Feature
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json
from shoal.model.plan import Plan, Route


def asked(route: Route) -> list[Json]:
    """Match what a request must say besides method and path; nothing where any will do."""
    only = route.edge.only
    if only is None:
        return []
    found = [{"name": name, "string_match": {"exact": value}} for name, value in sorted(only.headers.items())]
    return [_host(only.hosts), *found] if only.hosts else found


def unmet(plan: Plan) -> Iterator[Json]:
    """Answer 404 to other requests for the same operation: they belong behind all routes, and before wrong methods."""
    for route in routes.in_order([*plan.aliases, *plan.routes]):
        if route.edge.only is not None:
            yield routes.refuse(f"elsewhere {route.path}", routes.matches(route), 404)


def _host(hosts: tuple[str, ...]) -> Json:
    names = "|".join(re.escape(host).replace(r"\-", "-") for host in hosts)
    return {"name": ":authority", "string_match": {"safe_regex": {"regex": f"(?i:{names})(?::[0-9]*)?"}}}


def _route(_: Scope, route: Route) -> Json:
    found = asked(route)
    return {"match": {"headers": found}} if found else {}


FEATURE = Feature(edge_route=_route)
