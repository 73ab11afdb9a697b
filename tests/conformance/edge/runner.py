"""Send the rows to a gateway, whoever rendered it, and say where it differs."""

import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from shoal.model.plan import Route, plan
from shoal.model.service import RESERVED_PATHS
from shoal.model.system import System
from shoal.model.target import LOCAL
from tests.conformance.edge.table import Expect, Row, Table

PROBLEM = "application/problem+json"
INSIDE = ("envoy", "upstream", "rbac", "jwt", "cluster", "socket", "Traceback")
"""Words that no refusal may have."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer; names of headers in lower case."""

    status: int
    """0 when the connection ended without one."""
    headers: Mapping[str, str]
    body: bytes


Send = Callable[[str, str, Mapping[str, str], bytes, bool], Awaitable[Reply]]
"""Sends method, target, headers and body over a connection of its own, each as it is; without TLS when so told."""

Tokens = Mapping[str, str]
"""Kind of token or key → the token or key."""


async def run(row: Row, send: Send, tokens: Tokens) -> tuple[str, ...]:
    """Send one row and list what is otherwise than expected."""
    headers = dict(row.headers)
    if row.token:
        headers["authorization"] = f"Bearer {tokens[row.token]}"
    if row.key:
        headers["x-api-key"] = tokens[row.key]
    replies = [await send(row.method, row.path, headers, b"x" * row.size, row.plain) for _ in range(row.times)]
    return (*differences(row.expect, replies[-1]), *_among(row.expect, replies))


def _among(expect: Expect, replies: Sequence[Reply]) -> Iterator[str]:
    """Compare all answers to one row with what was expected of them together."""
    echoes = [echo for reply in replies if (echo := _echo(reply)) is not None]
    seen = {(echo["app"], echo.get("version"), echo.get("number")) for echo in echoes}
    if expect.reach and len(seen) != expect.reach:
        yield f"the service saw {len(seen)} of {len(replies)} requests, not {expect.reach}"
    found = Counter("@".join(filter(None, (echo["app"], echo.get("version")))) for echo in echoes)
    for name in sorted({*expect.shares, *(found if expect.shares else ())}):
        least, most = expect.shares.get(name, (0.0, 0.0))
        if not least <= found[name] / len(replies) <= most:
            yield f"{name} gave {found[name]} of {len(replies)} answers, not {least:g} to {most:g} of them"


def differences(expect: Expect, reply: Reply) -> Iterator[str]:
    """Compare an answer with what was expected."""
    if expect.silent and reply.status:
        yield f"status {reply.status}: there is an answer"
    if expect.there and reply.status in (404, 405, 502, 503, 504):
        yield f"status {reply.status}: nothing is there"
    if expect.nowhere and reply.status not in (403, 404):
        yield f"status {reply.status}: something is there"
    if expect.status and reply.status != expect.status:
        yield f"status {reply.status}, not {expect.status}: {reply.body[:200]!r}"
    if expect.problem:
        yield from _problem(expect, reply)
    for name, pattern in expect.headers.items():
        if not re.fullmatch(pattern, reply.headers.get(name, "")):
            yield f"header {name}: {reply.headers.get(name)!r}, not {pattern!r}"
    for name in reply.headers:
        if any(_like(name, pattern) for pattern in expect.absent):
            yield f"header {name}: {reply.headers[name]!r}, which must not be there"
    yield from _seen(expect, _echo(reply))


def _problem(expect: Expect, reply: Reply) -> Iterator[str]:
    if reply.headers.get("content-type") != PROBLEM:
        yield f"content-type {reply.headers.get('content-type')!r}, not {PROBLEM}"
        return
    document = json.loads(reply.body)
    if str(document.get("type", "")).rpartition(":")[2] != expect.problem or document.get("status") != reply.status:
        yield f"problem {document}, not {expect.problem}"
    if told := [word for word in INSIDE if word in reply.body.decode("utf-8", "replace")]:
        yield f"the refusal tells of the inside: {told}"


def _seen(expect: Expect, echo: Mapping[str, Any] | None) -> Iterator[str]:
    if expect.service == "-" and echo is not None:
        yield f"{echo['app']} has seen the request"
    if expect.service not in ("", "-") and (echo or {}).get("app") != expect.service:
        yield f"service {(echo or {}).get('app')!r}, not {expect.service!r}"
    if echo is None:
        return
    if expect.operation and echo["path"] != expect.operation:
        yield f"the service saw {echo['path']!r}, not {expect.operation!r}"
    for name, pattern in expect.received.items():
        if not re.fullmatch(pattern, echo["headers"].get(name, "")):
            yield f"the service saw {name}: {echo['headers'].get(name)!r}, not {pattern!r}"


def _echo(reply: Reply) -> Mapping[str, Any] | None:
    """Read what the service says that it saw; None when the gateway itself answered."""
    if not reply.body or not reply.headers.get("content-type", "").startswith("application/json"):
        return None
    document = json.loads(reply.body)
    return document if "app" in document else None


def _like(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def inventory(system: System) -> Table:
    """Derive the rows that hold for every system: what is declared is there, and nothing else is."""
    routes = plan(system, LOCAL).routes
    taken = {(r.method, r.path) for legacy in system.gateway.legacy for r in legacy.routes}
    served = {(route.method, _outside(route.path, route.edge.transform)): route for route in routes}
    rows = [_declared(path, route, taken) for (_, path), route in served.items()]
    inside = {e.path for s in system.services for e in s.endpoints if not e.exposed} | set(RESERVED_PATHS)
    rows += [_absent(f"internal {path}", _filled(path)) for path in sorted(inside)]
    rows += [_absent(f"beside {path}", f"{_filled(path)}/x9/x9/x9") for path in sorted({path for _, path in served})]
    return Table(capability="inventory", about="Served routes are declared routes.", rows=tuple(rows))


def _outside(path: str, transform: Any) -> str:
    return transform.path if transform is not None and transform.path else path


def _declared(path: str, route: Route, taken: Container[tuple[str, str]]) -> Row:
    expect = Expect(status=200, service=route.service) if route.access.kind == "anyone" else Expect(status=401)
    found = Row(
        name=f"{route.method} {path}", method=route.method, path=_filled(path), headers=_meant(route), expect=expect
    )
    used_up = route.edge.limit is not None  # by other rows
    return found.reached() if used_up or (route.method, path) in taken else found


def _meant(route: Route) -> dict[str, str]:
    """Say the host and the headers of those for whom it is there."""
    only = route.edge.only
    if only is None:
        return {}
    return {"host": only.hosts[0], **only.headers} if only.hosts else only.headers


def _absent(name: str, path: str) -> Row:
    return Row(name=name, path=path, expect=Expect(nowhere=True, service="-"))


def _filled(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "x1", path)


def cases(tables: Iterable[Table]) -> list[tuple[str, Row]]:
    """List every row under its name."""
    return [(f"{table.capability}: {row.name}", row) for table in tables for row in table.rows]
