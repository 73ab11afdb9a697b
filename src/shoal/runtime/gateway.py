"""The gateway of a process that runs several services: the same routes as the proxy's, without the proxy."""

from collections.abc import Mapping
from urllib.parse import quote

from shoal.errors import Problem
from shoal.model.origins import origins
from shoal.model.plan import Plan, Route
from shoal.model.service import RESERVED_PATHS, path_parameters
from shoal.model.untrusted import OURS, UNTRUSTED
from shoal.runtime import versions
from shoal.runtime.problems import CONTENT_TYPE, render
from shoal.runtime.request import Application, Receive, Response, Scope, Send, send_response
from shoal.runtime.routes import Routes, locate
from shoal.runtime.trace import TRACE_ID, begin
from shoal.runtime.upgrade import as_request, is_upgrade

_BEGINNINGS = tuple(beginning.encode() for beginning in OURS)
_NAMES = frozenset(name.encode() for name in (*UNTRUSTED, "x-request-id", TRACE_ID))
"""What Envoy drops, and the names that it gives anew to every request; here it is the service that names the trace."""


class Gateway:
    """Routes exposed operations to the services in this process; nothing else is reachable."""

    def __init__(self, plan: Plan, applications: Mapping[str, Application]) -> None:
        self._applications = applications
        self._origins = origins(plan)
        self._routes = Routes(versions.groups(plan))
        self._services = {
            s.name: Routes([(g.method, g.path, g.endpoint) for g in s.grants])
            for s in plan.services
            if any(plan.gateway_identity not in g.callers for g in s.grants)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's message, as ASGI 3 asks."""
        answer = send
        if is_upgrade(scope):
            scope, answer = as_request(scope, send)
        try:
            scope = {**scope, "headers": _trusted(scope)}
            group, values = locate(self._routes, scope)
            route = versions.choose(group, scope["headers"])
            if route.inside != route.path:
                scope = {**scope, **_renamed(route, values)}
            self._check(route, scope)
            _check_only(route, scope)
            self._check_origin(route, scope)
        except Problem as problem:
            await send_response(answer, _refusal(problem))
            return
        await self._applications[route.service](scope, receive, send)

    def _check(self, route: Route, scope: Scope) -> None:
        """Refuse what the service would take for an internal operation or a probe, as a template's sibling can be."""
        service = self._services.get(route.service)
        if scope["path"] in RESERVED_PATHS:
            raise Problem(404, "not-found", "there is nothing at this path")
        if service is not None and locate(service, scope)[0] != route.endpoint:
            raise Problem(404, "not-found", "there is nothing at this path")

    def _check_origin(self, route: Route, scope: Scope) -> None:
        """Refuse upgrades for pages of other origins, and where no socket is."""
        if not is_upgrade(scope):
            return
        origin = dict(scope["headers"]).get(b"origin")
        if origin is not None and self._origins is not None and origin.decode("latin-1") not in self._origins:
            raise Problem(403, "forbidden", "pages of this origin may not open it")
        if route.edge.socket is None:
            raise Problem(403, "forbidden", "this is no WebSocket")


def _check_only(route: Route, scope: Scope) -> None:
    """Hide what is for requests of another host, or with other headers."""
    if route.edge.only is None:
        return
    said = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if not route.edge.only.met(said.get("host", ""), said):
        raise Problem(404, "not-found", "there is nothing at this path")


def _trusted(scope: Scope) -> list[tuple[bytes, bytes]]:
    """Drop what nobody outside may say, and say truthfully where the request comes from."""
    given: list[tuple[bytes, bytes]] = scope["headers"]
    if any(b"_" in name for name, _ in given):  # some readers take it for a hyphen
        raise Problem(400, "bad-request", "a header's name has an underscore")
    found = [(k, v) for k, v in given if k not in _NAMES and not k.startswith(_BEGINNINGS)]
    if scope.get("client"):
        found.append((b"x-forwarded-for", scope["client"][0].encode()))
    found.append((b"x-forwarded-proto", scope.get("scheme", "http").encode()))
    return found


def _renamed(route: Route, values: tuple[str, ...]) -> dict[str, object]:
    """Give a request the path that its service knows."""
    given = dict(zip(path_parameters(route.path), values, strict=True))
    parts = [given[part[1:-1]] if part.startswith("{") else part for part in route.inside.split("/")]
    return {"path": "/".join(parts), "raw_path": "/".join(quote(part, safe="") for part in parts).encode()}


def _refusal(problem: Problem) -> Response:
    trace = begin().trace_id
    headers = [(k.lower().encode(), v.encode()) for k, v in problem.headers.items()]
    headers += [(b"content-type", CONTENT_TYPE), (b"x-trace-id", trace.encode())]
    return Response(problem.status, headers, render(problem, trace))
