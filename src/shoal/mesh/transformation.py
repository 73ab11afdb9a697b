"""Transformation at the edge: other headers, another path, other query parameters."""

from urllib.parse import urlencode

from shoal.mesh import filters, routes
from shoal.mesh.feature import Feature
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json, typed
from shoal.model.plan import Route
from shoal.model.service import path_parameters
from shoal.model.shaping import Headers, Query

QUERY = "shoal.query"
"""Name of the filter that changes queries."""

_PER_ROUTE = "envoy.extensions.filters.http.lua.v3.LuaPerRoute"

_LUA = """
local function plain(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(octet) return string.char(tonumber(octet, 16)) end))
end
function envoy_on_request(handle)
  local dropped, added = handle:filterContext():get("dropped"), handle:filterContext():get("added")
  local path, query = handle:headers():get(":path"):match("^([^?]*)%??(.*)$")
  local kept = {}
  for part in query:gmatch("[^&]+") do
    if not dropped[plain(part:match("^[^=]*"))] then table.insert(kept, part) end
  end
  if added ~= "" then table.insert(kept, added) end
  if #kept > 0 then path = path .. "?" .. table.concat(kept, "&") end
  handle:headers():replace(":path", path)
end
"""
"""Envoy's own change of a query decodes every value and does not encode it again, so that ``q=%26a%3D1`` would bring in
a parameter ``a``. Here what is kept stays as it was sent; only names are decoded, to be compared."""


def query_filters(scope: Scope) -> tuple[Json, ...]:
    """Write the filter that changes queries, where a route does."""
    return _lua() if any(_changed_query(route) for route in scope.plan.routes) else ()


def _lua() -> tuple[Json]:
    """Write the filter, asleep until a route wakes it by saying what to change."""
    return (filters.http_filter(QUERY, default_source_code={"inline_string": _LUA}) | {"disabled": True},)


def _route(_: Scope, route: Route) -> Json:
    transform = route.edge.transform
    if transform is None:
        return {}
    entry = _headers("request", transform.request) | _headers("response", transform.response)
    if query := _changed_query(route):
        entry["typed_per_filter_config"] = {QUERY: query}
    if route.inside != route.path:
        entry["route"] = {"regex_rewrite": rewrite(route)}
    return entry


def rewrite(route: Route) -> Json:
    """Write the path that the service knows from the one that the client sent; parameters go along as they came."""
    names = path_parameters(route.path)
    inside = [rf"\{names.index(part[1:-1]) + 1}" if part.startswith("{") else part for part in route.inside.split("/")]
    return {"pattern": {"regex": routes.captures(route.path)}, "substitution": "/".join(inside)}


def _headers(side: str, headers: Headers) -> Json:
    changes = [_header(name, value, "OVERWRITE_IF_EXISTS_OR_ADD") for name, value in headers.set.items()]
    changes += [_header(name, value, "APPEND_IF_EXISTS_OR_ADD") for name, value in headers.add.items()]
    found: Json = {f"{side}_headers_to_add": changes} if changes else {}
    removed = [name.lower() for name in headers.remove]
    return found | ({f"{side}_headers_to_remove": removed} if removed else {})


def _header(name: str, value: str, action: str) -> Json:
    literal = value.replace("%", "%%")  # or Envoy would take it for one of its commands
    return {"header": {"key": name.lower(), "value": literal}, "append_action": action, "keep_empty_value": True}


def _changed_query(route: Route) -> Json:
    query = Query() if route.edge.transform is None else route.edge.transform.query
    if not query.set and not query.remove:
        return {}
    dropped = dict.fromkeys((*query.remove, *query.set), True)
    return typed(_PER_ROUTE, filter_context={"dropped": dropped, "added": urlencode(query.set)})


FEATURE = Feature(edge_filters=query_filters, edge_route=_route)
