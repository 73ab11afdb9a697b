"""The gateway of a process that runs several services: the same routes as the proxy's, without the proxy."""

from collections.abc import Iterable, Mapping

from shoal.errors import Problem
from shoal.model.plan import Route
from shoal.runtime.problems import CONTENT_TYPE, render
from shoal.runtime.request import Application, Receive, Response, Scope, Send, send_response
from shoal.runtime.routes import Routes
from shoal.runtime.trace import begin

_INTERNAL = (b"x-envoy-", b"x-forwarded-client-cert")
"""Prefixes of headers that only proxies may set; from outside they are dropped."""


class Gateway:
    """Routes exposed operations to the services in this process; nothing else is reachable."""

    def __init__(self, routes: Iterable[Route], applications: Mapping[str, Application]) -> None:
        self._routes = Routes([(r.method, r.path, applications[r.service]) for r in routes])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's message, as ASGI 3 asks."""
        try:
            application, _ = self._routes.find(scope["method"], scope["path"])
        except Problem as problem:
            await send_response(send, _refusal(problem))
            return
        scope["headers"] = [(k, v) for k, v in scope["headers"] if not k.startswith(_INTERNAL)]
        await application(scope, receive, send)


def _refusal(problem: Problem) -> Response:
    trace = begin().trace_id
    headers = [(k.lower().encode(), v.encode()) for k, v in problem.headers.items()]
    headers += [(b"content-type", CONTENT_TYPE), (b"x-trace-id", trace.encode())]
    return Response(problem.status, headers, render(problem, trace))
