"""Typed clients of other services, made from their contracts."""

import asyncio
import inspect
import typing
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import msgspec

from shoal.errors import CallFailed, CallRefused, CallRejected, CallTimedOut
from shoal.model.service import path_parameters
from shoal.runtime.asgi import request
from shoal.runtime.breaking import Guarded, Question, Switchboard
from shoal.runtime.calling import Calling, Told
from shoal.runtime.deadline import EXPECTED, REQUESTED
from shoal.runtime.metrics.calls import attempts, measured
from shoal.runtime.metrics.registry import Metrics, Series
from shoal.runtime.retries import RetryBudget, repeated
from shoal.runtime.trace import current
from shoal.service import codec
from shoal.service.http import Header
from shoal.service.marks import Operation, operations_of
from shoal.service.signature import base_kind, is_scalar


class Answer(msgspec.Struct, frozen=True):
    """What came back from a call."""

    status: int
    body: bytes


class Transport(Protocol):
    """Carries calls to other services; raises `CallFailed` when there is no answer. Safe for many tasks."""

    async def send(
        self, service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, within: float
    ) -> Answer:
        """Send one request and read its whole answer within `within` seconds."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


def client(
    contract: type, transport: Transport, switchboard: Switchboard | None = None, metrics: Metrics | None = None
) -> Any:
    """Make an object that has the contract's methods; each call is bounded, traced and typed.

    Calls for which `switchboard` has a breaker go through it; the others know nothing of it. Where there are `metrics`,
    every attempt is counted.
    """
    methods = {}
    for name, operation in (operations_of(contract) or {}).items():
        guarded = None if switchboard is None else switchboard.guarded(operation)
        function = getattr(contract, name)
        budget = RetryBudget()
        series = None if metrics is None else attempts(metrics, operation, budget)
        way = _Way(transport, budget, series)
        methods[name] = (
            _method(function, operation, way) if guarded is None else _guarded_method(function, operation, way, guarded)
        )
    return type(f"{contract.__name__}Client", (), methods)()


class _Way(msgspec.Struct, frozen=True):
    """What all calls of one operation have in common."""

    transport: Transport
    budget: RetryBudget
    series: Series | None


class _Call(msgspec.Struct, frozen=True):
    """How the arguments of one operation become a request."""

    operation: Operation
    names: tuple[str, ...]
    defaults: Mapping[str, Any]
    in_path: tuple[str, ...]
    headers: Mapping[str, str]
    body: str
    """Name of the body's parameter; empty without one."""


def _method(function: Callable[..., Any], operation: Operation, way: _Way) -> Callable[..., Awaitable[Any]]:
    call, reader = _compiled(function, operation)
    told = Told(operation)

    async def method(_self: object, *args: Any, **kwargs: Any) -> Any:
        values = _bind(call, args, kwargs)
        path, headers, body = _request(call, values)
        with Calling(told, path) as calling:
            sent = measured(way.series, lambda: _send(way.transport, operation, path, headers, body))
            once = calling.attempts(sent)
            answer = await repeated(once, operation.policy, way.budget)
            return None if reader is None else _read(reader, answer, operation)

    return method


def _guarded_method(
    function: Callable[..., Any], operation: Operation, way: _Way, guarded: Guarded
) -> Callable[..., Awaitable[Any]]:
    """Make a method whose calls go through a circuit; a call and its repeats count once."""
    call, reader = _compiled(function, operation)
    policy = msgspec.structs.replace(operation.policy, timeout=guarded.timeout)
    bounded = msgspec.structs.replace(operation, policy=policy)
    told = Told(operation)

    def read(answer: Answer) -> Any:
        return None if reader is None else _read(reader, answer, operation)

    async def method(_self: object, *args: Any, **kwargs: Any) -> Any:
        values = _bind(call, args, kwargs)
        path, headers, body = _request(call, values)
        _refuse_late(operation)
        question = _question(operation, path, headers)

        async def ask() -> Answer:
            with Calling(told, path) as calling:
                sent = measured(way.series, lambda: _send(way.transport, bounded, path, headers, body))
                once = calling.attempts(sent)
                return await repeated(once, policy, way.budget)

        return await guarded.call(question, ask, read, values)

    return method


def _refuse_late(operation: Operation) -> None:
    """Refuse to call when the caller's own time is over, which is no fault of the callee."""
    context = current.get()
    if context is not None and context.budget.remaining() <= 0:
        raise CallTimedOut(f"{operation.service}.{operation.name}", detail="the deadline had already passed")


def _question(operation: Operation, path: str, headers: Mapping[str, str]) -> Question:
    """Say what makes two calls the same; whoever is signed in asks for themselves alone."""
    context = current.get()
    personal = context is not None and operation.access.kind == "principal"
    authorization = context.authorization if context is not None and personal else ""
    return Question(path=path, headers=tuple(sorted(headers.items())), authorization=authorization)


def _compiled(function: Callable[..., Any], operation: Operation) -> tuple["_Call", codec.Codec[Any] | None]:
    """Compile how arguments become a request, and what reads the answer; nothing does where there is none."""
    hints = typing.get_type_hints(function, include_extras=True)
    returned = hints.pop("return", None)
    reader = None if returned in (None, type(None)) else codec.Codec(returned)
    return _compile(function, operation, hints), reader


async def _send(transport: Transport, operation: Operation, path: str, headers: dict[str, str], body: bytes) -> Answer:
    """Send a request once, within what is left of the caller's time; every failure is a `CallFailed`."""
    target = f"{operation.service}.{operation.name}"
    timeout = _context(headers, operation.policy.timeout, passes_token=operation.access.kind == "principal")
    if timeout <= 0:
        raise CallTimedOut(target, detail="the deadline had already passed")
    try:
        answer = await transport.send(operation.service, operation.method, path, headers, body, timeout)
    except TimeoutError as error:
        raise CallTimedOut(target, detail=f"no answer within {timeout:.3f} s") from error
    if answer.status >= 400:
        raise _failure(target, answer)
    return answer


def _read(reader: codec.Codec[Any], answer: Answer, operation: Operation) -> Any:
    try:
        return reader.decode(answer.body)
    except codec.Malformed as error:
        target = f"{operation.service}.{operation.name}"
        raise CallFailed(target, status=answer.status, detail=f"the answer is not as agreed: {error}") from error


def _compile(function: Callable[..., Any], operation: Operation, hints: Mapping[str, Any]) -> _Call:
    in_path = path_parameters(operation.path)
    names = tuple(n for n in inspect.signature(function).parameters if n != "self")
    headers = {
        n: mark.name for n in names for mark in getattr(hints.get(n), "__metadata__", ()) if isinstance(mark, Header)
    }
    defaults = {
        n: p.default
        for n, p in inspect.signature(function).parameters.items()
        if p.default is not inspect.Parameter.empty
    }
    rest = [n for n in names if n not in in_path and n not in headers]
    carries = operation.method in ("POST", "PUT", "PATCH")
    body = next((n for n in rest if carries and not is_scalar(base_kind(hints[n]))), "")
    return _Call(operation, names, defaults, in_path, headers, body)


def _bind(call: _Call, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Give each argument its name, or raise `TypeError` as a function would."""
    values = {**call.defaults, **dict(zip(call.names, args, strict=False)), **kwargs}
    twice = [name for name in call.names[: len(args)] if name in kwargs]
    if len(args) > len(call.names) or twice or values.keys() ^ set(call.names):
        odd = ", ".join(sorted({*twice, *(values.keys() ^ set(call.names))})) or f"{len(args)} in all"
        raise TypeError(f"{call.operation.service}.{call.operation.name}() was given wrong arguments: {odd}")
    return values


def _segment(call: _Call, name: str, value: Any) -> str:
    """Spell a path parameter as one segment; what would change the path is refused."""
    text = _text(value)
    if text in ("", ".", ".."):
        target = f"{call.operation.service}.{call.operation.name}"
        raise CallRejected(target, detail=f"the path parameter {name} cannot be {text!r}")
    return quote(text, safe="")


def _text(value: Any) -> str:
    """Spell a value as its own JSON does, without quotes."""
    plain = codec.to_plain(value)
    return str(plain).lower() if isinstance(plain, bool) else str(plain)


def _request(call: _Call, values: Mapping[str, Any]) -> tuple[str, dict[str, str], bytes]:
    path = call.operation.path
    for name in call.in_path:
        path = path.replace(f"{{{name}}}", _segment(call, name, values[name]))
    headers = {call.headers[n]: _text(values[n]) for n in call.headers if values.get(n) is not None}
    if call.operation.idempotent:
        headers.setdefault("idempotency-key", _key(call.operation))
    query = [
        (n, item)
        for n in call.names
        if n not in call.in_path and n not in call.headers and n != call.body
        for value in (codec.to_plain(values.get(n)),)
        if value is not None
        for item in (value if isinstance(value, list) else [value])
    ]
    if query:
        path = f"{path}?{urlencode(query)}"
    if not call.body or values[call.body] is None:
        return path, headers, b""
    headers["content-type"] = "application/json"
    return path, headers, codec.encode(values[call.body])


def _key(operation: Operation) -> str:
    """Make the key under which a call has one effect: the same again where the caller's work may come again."""
    context = current.get()
    if context is None or context.repeats is None:
        return uuid.uuid4().hex
    return context.repeats(f"{operation.service}.{operation.name}")


def _context(headers: dict[str, str], timeout: float, *, passes_token: bool) -> float:
    """Add trace, deadline and token; return the seconds that the call gets."""
    context = current.get()
    if context is not None:
        headers |= context.trace.headers()
        timeout = min(timeout, context.budget.remaining())
        if passes_token and context.authorization:
            headers["authorization"] = context.authorization
    headers[REQUESTED] = str(max(1, int(timeout * 1000)))
    return timeout


def _failure(target: str, answer: Answer) -> CallFailed:
    code, detail = "", ""
    try:
        document = msgspec.json.decode(answer.body, type=dict[str, Any])
        code, detail = str(document.get("type", "")).rpartition(":")[2], str(document.get("detail", ""))
    except msgspec.MsgspecError:
        detail = "the answer is no problem document"
    kind = CallFailed
    if answer.status in (408, 504):
        kind = CallTimedOut
    elif answer.status in (401, 403):
        kind = CallRefused
    elif answer.status < 500:
        kind = CallRejected
    return kind(target, status=answer.status, code=code, detail=detail)


class LocalTransport:
    """Carries calls within one process, straight to the callee's ASGI application."""

    def __init__(self) -> None:
        self.applications: dict[str, Callable[..., Awaitable[None]]] = {}

    async def send(
        self, service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, within: float
    ) -> Answer:
        """Run the callee's application in a task of its own, as a server would."""
        application = self.applications.get(service)
        if application is None:
            raise CallFailed(service, detail="it does not run in this process, or not yet")
        relayed = dict(headers)
        relayed[EXPECTED] = relayed.pop(REQUESTED, "")
        async with asyncio.timeout(within):
            status, _, answer = await asyncio.create_task(request(application, method, path, relayed, body))
        return Answer(status, answer)

    async def close(self) -> None:
        """Nothing is held."""
