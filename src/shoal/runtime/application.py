"""One service as an ASGI application: routing, context, problems, access log, health."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

import msgspec

from shoal.errors import CallFailed, Problem
from shoal.runtime.auth import KEY_HEADER
from shoal.runtime.deadline import EXPECTED, Budget, budget
from shoal.runtime.endpoint import Endpoint
from shoal.runtime.logs import Journal
from shoal.runtime.metrics.registry import Level
from shoal.runtime.problems import CONTENT_TYPE, render, to_problem
from shoal.runtime.recording import closed, opened
from shoal.runtime.request import Receive, Request, Response, Scope, Send, encode_headers, messages, send_response
from shoal.runtime.requested import describe
from shoal.runtime.routes import Routes, locate
from shoal.runtime.sockets import SocketEndpoint
from shoal.runtime.streaming import Flow
from shoal.runtime.trace import Context, Trace, begin, current, resume
from shoal.runtime.upgrade import as_request, is_upgrade
from shoal.telemetry.spans import SERVER, Span

Probe = Callable[[Mapping[bytes, bytes]], Awaitable[Response]]

_EXPECTED = EXPECTED.encode()


class Arrival(msgspec.Struct, frozen=True):
    """What is known of a request before anybody looks for its endpoint."""

    started: float
    headers: dict[bytes, bytes]
    trace: Trace
    span: Span | None


class Application:
    """Serves one service's endpoints and its own probes."""

    def __init__(
        self, endpoints: Iterable[Endpoint], probes: dict[str, Probe], journal: Journal | None, busy: Level
    ) -> None:
        self._busy = busy
        self._routes = Routes([(e.operation.method, e.operation.path, e) for e in endpoints])
        self._probes = probes
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's message, as ASGI 3 asks."""
        scope, send = _as_request(scope, send)
        probe = self._probes.get(scope["path"])
        if probe is not None:
            await send_response(send, await probe(dict(scope["headers"])))
            return
        self._busy.value += 1
        try:
            await self._answer(scope, receive, send)
        finally:
            self._busy.value -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        parent = headers.get(b"traceparent")
        state = _joined(scope["headers"]) if b"tracestate" in headers else None
        trace, span = opened(begin() if parent is None else resume(parent.decode("latin-1"), state), SERVER)
        try:
            await self._serve(scope, receive, send, Arrival(started, headers, trace, span))
        finally:
            closed(span)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, arrival: "Arrival") -> None:
        headers, trace, span = arrival.headers, arrival.trace, arrival.span
        endpoint, told, failure = None, {}, None
        try:
            endpoint, values = locate(self._routes, scope)
            _check_socket(endpoint, scope)
            expected = headers.get(_EXPECTED)
            seconds = endpoint.timeout if expected is None else budget(endpoint.timeout, expected.decode("latin-1"))
            context = Context(trace, Budget(seconds), _credential(headers).decode("latin-1"), None, span)
            current.set(context)
            response = await endpoint.serve(Request(scope, headers, values, context), receive)
        except Exception as error:  # noqa: BLE001 - the border: every failure becomes an answer
            problem, failure = to_problem(error), error
            response, told = _problem_response(problem, trace), _told(problem, error)
        if span is not None:
            describe(span, scope, endpoint.shown if endpoint else None, response.status, failure, told)
        response.headers.append((b"x-trace-id", trace.trace_id.encode()))
        if endpoint is not None and endpoint.lifecycle is not None:
            response.headers.extend(endpoint.lifecycle.headers(scope["path"]))
        start, body = messages(response)
        await send(start)
        await (response.run(send, receive) if isinstance(response, Flow) else send(body))
        seconds = time.perf_counter() - arrival.started
        if endpoint is not None:
            endpoint.series.observe(str(response.status), seconds, trace)
        if self._journal is not None:
            name = endpoint.operation.name if endpoint else ""
            fields = {"endpoint": name, "status": response.status, "ms": round(seconds * 1000, 2), **told}
            level = "info" if response.status < 500 else "error"
            self._journal.write(level, f"{scope['method']} {scope['path']} {response.status}", trace, fields)


def _as_request(scope: Scope, send: Send) -> tuple[Scope, Send]:
    if is_upgrade(scope):
        return as_request(scope, send)
    if scope["type"] != "http":
        raise RuntimeError(f"only HTTP is served here, not {scope['type']}")
    return scope, send


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Join what several headers say (W3C Trace Context, section 3.3.1)."""
    return b",".join(value for name, value in headers if name == b"tracestate").decode("latin-1")


def _check_socket(endpoint: Endpoint, scope: Scope) -> None:
    if is_upgrade(scope) and not isinstance(endpoint, SocketEndpoint):
        raise Problem(403, "forbidden", "this is no WebSocket")


def _told(problem: Problem, error: Exception) -> dict[str, str]:
    """Say in the log what became of a request: the problem's code, and the call that failed; nothing of its data."""
    if isinstance(error, CallFailed):
        return {"problem": problem.code, "failure": type(error).__name__, "call": error.target}
    return {"problem": problem.code}


def _problem_response(problem: Problem, trace: Trace) -> Response:
    try:
        headers = encode_headers(problem.headers)
        return Response(problem.status, [(b"content-type", CONTENT_TYPE), *headers], render(problem, trace.trace_id))
    except Exception as error:  # noqa: BLE001 - what the author put into the problem cannot be sent
        return _problem_response(to_problem(error), trace)


def _credential(headers: dict[bytes, bytes]) -> bytes:
    """Return what calls to other services are made with on behalf of the caller."""
    header, key = headers.get(b"authorization", b""), headers.get(KEY_HEADER)
    return header if key is None else b"Bearer " + key
