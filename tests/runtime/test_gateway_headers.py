"""The gateway of one process believes as little of what comes from outside as the proxy does: the same rows."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from shoal.errors import DeclarationError
from shoal.mesh.edge import entrance
from shoal.mesh.layout import layout_for
from shoal.mesh.manager import Scope as MeshScope
from shoal.model.plan import plan
from shoal.model.shaping import Headers
from shoal.model.target import LOCAL, ONE_PROCESS
from shoal.model.untrusted import OURS, UNTRUSTED, is_untrusted
from shoal.runtime import asgi
from shoal.runtime.gateway import Gateway
from shoal.runtime.request import Application, Receive, Response, Scope, Send, send_response
from tests.conformance.edge.runner import Reply, cases, run
from tests.conformance.edge.sample import SAMPLE
from tests.conformance.edge.table import Expect, Row, tables

ROWS = cases(table for table in tables() if table.capability == "headers")
NEW = ("x-forwarded-client-cert", "x-request-id", "x-trace-id")
"""What a proxy says anew of each request; in one process nobody does, and what came is dropped."""


def adapted(row: Row) -> Row:
    """Expect what one process does otherwise: the service gives the trace its name, and nobody is called a server."""
    received = {k: "" if k in NEW else v for k, v in row.expect.received.items() if k != "traceparent"}
    absent = tuple(name for name in row.expect.absent if name != "x-trace-id")
    return replace(row, expect=replace(row.expect, received=received, absent=absent, headers={}))


def echo(name: str) -> Application:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {k.decode(): v.decode("latin-1") for k, v in scope["headers"]}
        said = {"app": name, "method": scope["method"], "path": scope["path"], "headers": headers, "size": 0}
        await send_response(send, Response(200, [(b"content-type", b"application/json")], json.dumps(said).encode()))

    return application


async def ask(method: str, target: str, headers: Mapping[str, str], body: bytes, _plain: bool = False) -> Reply:
    gateway = Gateway(plan(SAMPLE, ONE_PROCESS), {s.name: echo(s.name) for s in SAMPLE.services})

    async def connected(scope: Scope, receive: Receive, send: Send) -> None:
        await gateway({**scope, "client": ("127.0.0.1", 4711)}, receive, send)

    status, answered, text = await asgi.request(connected, method, target, headers, body)
    return Reply(status=status, headers={k.decode(): v.decode() for k, v in answered}, body=text)


@pytest.mark.parametrize(("name", "row"), ROWS, ids=[name for name, _ in ROWS])
async def test_it_does_as_the_table_says(name: str, row: Row) -> None:
    assert await run(adapted(row), ask, {}) == ()


@pytest.mark.parametrize("name", [*UNTRUSTED, *(f"{beginning}name" for beginning in OURS)])
async def test_whoever_says_who_calls_is_not_believed(name: str) -> None:
    row = Row(name=name, path="/items", headers={name: "root"}, expect=Expect(status=200, received={name: ""}))
    assert await run(row, ask, {}) == ()
    assert is_untrusted(name)
    with pytest.raises(DeclarationError, match="does not change the header"):
        Headers(set={name.upper(): "root"})


def test_the_proxy_drops_the_same() -> None:
    planned = plan(SAMPLE, LOCAL)
    layout = layout_for(planned, root="/r", sockets="/s")
    dropped: list[Any] = list(entrance(MeshScope(plan=planned, layout=layout)).mutations)
    assert {one["remove"] for one in dropped if "remove" in one} == set(UNTRUSTED)
    prefixes = {one["remove_on_match"]["key_matcher"]["prefix"] for one in dropped if "remove_on_match" in one}
    assert prefixes == set(OURS)
