"""The explorer of operations: what can be asked for, a request sent as a test user, and the request as code."""

import asyncio
import re
import shlex
from collections.abc import Sequence
from typing import Any

import msgspec

from shoal import model
from shoal.dashboard.live.running import Live
from shoal.dashboard.live.schemas import Form, form
from shoal.operating import requests
from shoal.operating.requests import Answer, Caller, Request

LARGEST = 512 * 1024
"""Bytes of an answer that are read and shown."""

PATIENCE = 30.0
"""Seconds for an answer; of one that does not end, what came is shown."""

_REFUSED = 400


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation that can be asked for."""

    service: str
    name: str
    method: str
    path: str
    summary: str
    exposed: bool
    access: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    idempotent: bool
    parameters: tuple[model.service.Parameter, ...]
    body: Form | None
    body_required: bool
    callers: tuple[str, ...]
    """Services that may call it from inside."""
    source: str


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request to be made."""

    service: str
    operation: str
    values: dict[str, str] = {}
    """Path, query and header parameters by name."""
    body: Any = msgspec.UNSET
    headers: dict[str, str] = {}
    subject: str = ""
    """Sign in as this test user."""
    roles: tuple[str, ...] = ()
    claims: dict[str, Any] = {}
    caller: str = ""
    """The service from inside of which it is called; empty for the gateway."""

    @property
    def target(self) -> str:
        """Service and operation."""
        return f"{self.service}.{self.operation}"


def operations(system: model.System) -> list[Operation]:
    """List the operations of all services."""
    callers: dict[tuple[str, str], list[str]] = {}
    for service in system.services:
        for call in service.calls:
            callers.setdefault((call.service, call.endpoint), []).append(service.name)
    return [
        _operation(service, endpoint, tuple(callers.get((service.name, endpoint.name), ())))
        for service in system.services
        for endpoint in service.endpoints
    ]


async def call(live: Live, wish: Wish) -> dict[str, Any]:
    """Make a request and wait for its answer.

    Raises:
        DeclarationError: There is no such operation, or a parameter is missing.
        HostError: Nothing runs, or no answer comes.
    """
    run, system = live.running(), await live.system()
    request = _made(live, system, wish)
    answer = await asyncio.to_thread(requests.send, run, request, PATIENCE, LARGEST)
    return _shown(request, answer)


async def code(live: Live, wish: Wish, status: int = 200) -> dict[str, str]:
    """Write a request as a command and as a test that expects `status`; no token is written into either.

    From inside of a service only `shoal call` comes, which the test calls then.
    """
    system = await live.system()
    found = requests.endpoint(system, wish.target, inside=bool(wish.caller))
    if wish.caller:
        words = _words(wish)
        return {"curl": shlex.join(["shoal", *words]), "pytest": _inside(wish, words, status)}
    path, headers = requests.fill(found, found.public, wish.values)
    headers = {**headers, **wish.headers}
    if found.idempotent and "Idempotency-Key" not in headers:
        headers["Idempotency-Key"] = "saved-by-the-dashboard"
    signed = wish.subject or ("dev" if found.access.kind == "principal" else "")
    run = live.run()
    base = run.gateway if run is not None else f"http://127.0.0.1:{system.gateway.port}"
    return {
        "curl": _curl(found.method, base + path, headers, wish, signed),
        "pytest": _test(found.method, path, headers, wish, signed, status),
    }


def _made(live: Live, system: model.System, wish: Wish) -> Request:
    found = requests.endpoint(system, wish.target, inside=bool(wish.caller))
    body = requests.body_of(found, {}) if wish.body is msgspec.UNSET else msgspec.json.encode(wish.body)
    caller = Caller(subject=wish.subject, roles=wish.roles, claims=wish.claims, service=wish.caller)
    return requests.made(live.where, system, wish.target, wish.values, body=body, headers=wish.headers, caller=caller)


def _shown(request: Request, answer: Answer) -> dict[str, Any]:
    data = None if answer.cut else _json(answer.body)
    return {
        "method": request.method,
        "path": request.path,
        "sent": {name: _masked(name, value) for name, value in request.headers.items()},
        "status": answer.status,
        "reason": answer.reason,
        "headers": answer.headers,
        "data": data,
        "text": "" if data is not None else answer.body.decode("utf-8", "replace"),
        "bytes": len(answer.body),
        "cut": answer.cut,
        "ms": answer.ms,
        "trace_id": answer.headers.get("x-trace-id", ""),
    }


def _json(body: bytes) -> msgspec.Raw | None:
    """Hand JSON on as it is; None for what is none, or is nested too deep to be looked through."""
    try:
        msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return msgspec.Raw(body)


def _masked(name: str, value: str) -> str:
    return "Bearer ***" if name.lower() == "authorization" else value


def _operation(service: model.Service, endpoint: model.Endpoint, callers: tuple[str, ...]) -> Operation:
    return Operation(
        service=service.name,
        name=endpoint.name,
        method=endpoint.method,
        path=endpoint.public if endpoint.exposed else endpoint.path,
        summary=endpoint.summary,
        exposed=endpoint.exposed,
        access=endpoint.access.kind,
        roles=endpoint.access.roles,
        scopes=endpoint.access.scopes,
        idempotent=endpoint.idempotent,
        parameters=endpoint.parameters,
        body=form(endpoint.request, service.schemas),
        body_required=endpoint.request is not None and endpoint.request_required,
        callers=callers,
        source=endpoint.source,
    )


def _curl(method: str, url: str, headers: dict[str, str], wish: Wish, signed: str) -> str:
    words = ["curl", "-i", "-X", method, url]
    for name, value in headers.items():
        words += ["-H", f"{name}: {value}"]
    if wish.body is not msgspec.UNSET:
        words += ["-H", "Content-Type: application/json", "-d", msgspec.json.encode(wish.body).decode()]
    line = " ".join(shlex.quote(word) for word in words)
    if not signed:
        return line
    roles = "".join(f" --role {shlex.quote(role)}" for role in wish.roles)
    return f'{line} -H "Authorization: Bearer $(shoal token --sub {shlex.quote(signed)}{roles})"'


def _words(wish: Wish) -> list[str]:
    """Say a request from inside in the words of the command line."""
    words = ["call", wish.target, *(f"{name}={value}" for name, value in wish.values.items())]
    if wish.body is not msgspec.UNSET:
        words += ["--body", msgspec.json.encode(wish.body).decode()]
    if wish.subject:
        words += ["--as", wish.subject]
    words += [word for role in wish.roles for word in ("--role", role)]
    return [*words, "--from", wish.caller]


def _inside(wish: Wish, words: Sequence[str], status: int) -> str:
    lines = [
        f'"""{wish.target}, as {wish.caller} asked for it in the dashboard."""', "",
        "from shoal.testing import LiveSystem", "", "",
        f"def test_{_name(wish)}_answers_{status}(live: LiveSystem) -> None:",
        f"    done = live.run({', '.join(map(repr, words))})",
        f"    assert done.returncode == {int(status >= _REFUSED)}, done.stderr", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _name(wish: Wish) -> str:
    return re.sub(r"\W+", "_", f"{wish.service}_{wish.operation}").lower()


def _test(method: str, path: str, headers: dict[str, str], wish: Wish, signed: str, status: int) -> str:
    lines = [f'"""{wish.target}, as it was asked for in the dashboard."""', ""]
    lines += ["from shoal.testing import LiveSystem", "", ""]
    lines += [f"async def test_{_name(wish)}_answers_{status}(live: LiveSystem) -> None:"]
    arguments = [repr(path)]
    if wish.body is not msgspec.UNSET:
        arguments.append(f"json={wish.body!r}")
    if signed:
        claims = f", roles={list(wish.roles)!r}" if wish.roles else ""
        arguments.append(f"token=live.token({signed!r}{claims})")
    if headers:
        arguments.append(f"headers={headers!r}")
    lines += [f"    answer = await live.{method.lower()}({', '.join(arguments)})"]
    lines += [f"    assert answer.status == {status}, answer.body", ""]
    return "\n".join(lines)
