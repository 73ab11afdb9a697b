"""No bytes make the edge and the application see different requests (S9): what one has let in the other has served.

The application is served as Shoal serves every service. Between it and Envoy stands a tap that writes down what Envoy
sends, so that three readers are compared: Envoy by its log, a strict reader of the wire, and the application.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from shoal.mesh.layout import Tcp
from shoal.model.service import Access, Endpoint
from shoal.model.system import System
from shoal.runtime.server import _configuration, _Server
from tests.mesh.hostile import DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS, frame, literal
from tests.mesh.samples import endpoint, service
from tests.mesh.smuggling import H2, VECTORS, numbered
from tests.mesh.wire import eventually_true
from tests.mesh.world import World, eventually, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

AT_ONCE = 24
PATIENCE = 0.3
"""Seconds for which an answer is waited for; the edge waits longer for what is missing of a request."""

ANYONE = Access(kind="anyone")


def endpoints() -> Iterable[Endpoint]:
    for method in ("GET", "POST", "PUT", "DELETE"):
        yield endpoint(f"v-{method.lower()}", method, "/v/{number}", ANYONE)
    yield endpoint("smuggled-get", "GET", "/smuggled/{number}", ANYONE)
    yield endpoint("smuggled-post", "POST", "/smuggled/{number}", ANYONE)


SYSTEM = System(name="wire", services=(service("served", *endpoints()),))


@dataclass(frozen=True, slots=True, order=True)
class Seen:
    """One request as one of the readers sees it."""

    method: str
    path: str
    size: int


@dataclass(slots=True)
class Stage:
    """The edge, the tap and the application."""

    world: World
    served: list[Seen] = field(default_factory=list)
    connections: list[bytearray] = field(default_factory=list)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, and note it once its body is there."""
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        path = scope["raw_path"].decode("latin-1")
        self.served.append(Seen(scope["method"], path, size))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def tap(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Stand between Envoy and the application."""
        inner_reader, inner_writer = await asyncio.open_unix_connection(f"{self.world.layout.sockets}/app")
        kept = bytearray()
        self.connections.append(kept)
        await asyncio.gather(_copy(reader, inner_writer, kept), _copy(inner_reader, writer, bytearray()))

    async def http1(self, data: bytes) -> None:
        """Send bytes to the edge, and wait for an end or for long enough."""
        edge = self.world.layout.edge()
        assert isinstance(edge, Tcp)
        reader, writer = await asyncio.open_connection(edge.host, edge.port)
        with contextlib.suppress(OSError, TimeoutError):
            writer.write(data)
            async with asyncio.timeout(PATIENCE):
                await reader.read(-1)
        writer.transport.abort()

    def forwarded(self) -> list[Seen]:
        """Read the log: what Envoy has sent to the application, as Envoy sees it."""
        lines = [json.loads(line) for line in self.world.access_log().splitlines()]
        sent = [line for line in lines if line["hop"] == "inbound.served" and line["upstream"]]
        return sorted(Seen(line["method"], line["path"], line["bytes_received"]) for line in sent)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            kept += data
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with running(SYSTEM) as world:
        found = Stage(world)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await found.app(scope, receive, send)

        server = _Server(_configuration(app, f"unix:{world.layout.sockets}/app", 1.0), lambda: None)
        serving = asyncio.create_task(server.serve())
        where = world.layout.replica("served", 0)
        tap = await asyncio.start_unix_server(found.tap, where.path)
        world.point("served", where)
        await eventually(world, f"served::{where.path}::")
        yield found
        tap.close()
        server.leave()
        await serving


async def send_all(stage: Stage, everything: Iterable[bytes], last: str) -> None:
    """Send each over a connection of its own, some at once, then wait until the log has the last."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(data: bytes) -> None:
        async with turns:
            await stage.http1(data)

    await asyncio.gather(*(one(data) for data in everything))
    await stage.world.edge(f"GET /v/{last}")

    async def logged() -> bool:
        return any(seen.path == f"/v/{last}" for seen in stage.forwarded())

    await eventually_true(logged)


def strictly(wire: bytes) -> list[Seen]:
    """Read a connection as RFC 9112 has it, and refuse everything that a lenient reader would let pass."""
    found = []
    while wire:
        head, separator, wire = wire.partition(b"\r\n\r\n")
        assert separator, wire
        first, *lines = head.split(b"\r\n")
        assert not re.search(rb"[\r\n\x00]", b"".join([first, *lines])), head
        method, path, version = first.split(b" ")
        assert (version, path[:1]) == (b"HTTP/1.1", b"/"), head
        assert all(re.fullmatch(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+: ?[^\r\n]*", line) for line in lines), head
        framing = [line.lower() for line in lines if re.match(rb"(?i)(content-length|transfer-encoding):", line)]
        assert len(framing) <= 1, head
        size, wire = _body(framing[0] if framing else b"content-length: 0", wire)
        found.append(Seen(method.decode(), path.decode("latin-1"), size))
    return found


def _body(framing: bytes, wire: bytes) -> tuple[int, bytes]:
    if framing == b"transfer-encoding: chunked":
        total = 0
        while True:
            line, _, wire = wire.partition(b"\r\n")
            size = int(line, 16)
            assert re.fullmatch(rb"[0-9a-f]+", line), line
            assert wire[size : size + 2] == b"\r\n", wire
            total, wire = total + size, wire[size + 2 :]
            if not size:
                return total, wire
    match = re.fullmatch(rb"content-length: ([0-9]+)", framing)
    assert match, framing
    size = int(match[1])
    assert len(wire) >= size, wire
    return size, wire[size:]


def agreed(stage: Stage) -> list[Seen]:
    """Compare the three readers, and return what they all have seen."""
    on_the_wire = sorted(seen for connection in stage.connections for seen in strictly(bytes(connection)))
    assert sorted(stage.served) == on_the_wire
    assert sorted(stage.served) == stage.forwarded()
    return on_the_wire


async def test_there_are_vectors_enough() -> None:
    assert len({vector.data for vector in VECTORS}) + len(set(H2)) >= 150


async def test_http1_is_seen_alike(stage: Stage) -> None:
    await send_all(stage, (numbered(vector.data, n) for n, vector in enumerate(VECTORS)), "last-1")
    seen = agreed(stage)
    first = [s for s in seen if s.path.startswith("/v/")]
    assert 10 <= len(first) <= len(VECTORS), "some are fine, most are not"
    assert stage.connections


async def test_http2_becomes_http1_without_additions(stage: Stage) -> None:
    offset = len(VECTORS)
    await send_all(stage, (http2(fields, body, offset + n) for n, (fields, body) in enumerate(H2)), "last-2")
    seen = [s for s in agreed(stage) if s.path[-3:].isdigit() and int(s.path[-3:]) >= offset]
    assert not [s for s in seen if s.path.startswith("/smuggled")]
    assert Seen("POST", f"/v/{offset:03d}", 0) in seen, "a plain request passes"
    assert Seen("POST", f"/v/{offset + 2:03d}", 5) in seen, "and one with a body"


def http2(fields: Iterable[tuple[bytes, bytes]], body: bytes, number: int) -> bytes:
    """Write a connection of HTTP/2 with one request."""
    block = b"".join(literal(numbered(name, number), numbered(value, number)) for name, value in fields)
    content = numbered(body, number)
    ended = END_HEADERS if content else END_HEADERS | END_STREAM
    frames = frame(SETTINGS, 0, 0) + frame(HEADERS, ended, 1, block)
    return PREFACE + frames + (frame(DATA, END_STREAM, 1, content) if content else b"")


async def test_the_application_survives(stage: Stage) -> None:
    assert (await stage.world.edge("GET /v/alive")).status == 200
