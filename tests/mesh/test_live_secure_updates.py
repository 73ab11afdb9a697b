"""Sockets and streams over TLS at the edge: conversations over HTTP/1.1, streams over either version."""

import asyncio
import contextlib
import ssl
from asyncio.subprocess import DEVNULL, PIPE, create_subprocess_exec
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.asyncio.server import unix_serve
from websockets.exceptions import InvalidStatus

from shoal.mesh.layout import Tcp
from shoal.model.edge import Edge
from shoal.model.service import Policy
from shoal.model.sockets import Socket
from shoal.model.streaming import LONGEST, Stream
from shoal.model.system import Gateway, System
from shoal.model.tls import Tls
from tests.mesh.samples import AUTH, ISSUER, PRINCIPAL, endpoint, service
from tests.mesh.test_live_sockets import Service, said
from tests.mesh.test_live_streams import Teller
from tests.mesh.wire import WITHIN
from tests.mesh.world import World, eventually_served, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

LASTING = Policy(timeout=LONGEST)
FOLLOW = endpoint("follow", "GET", "/orders/{order_id}/events", PRINCIPAL, policy=LASTING)
CHAT = endpoint("chat", "GET", "/desks/{town}", PRINCIPAL, policy=LASTING)
SYSTEM = System(
    name="secure",
    services=(
        AUTH,
        service("orders", msgspec.structs.replace(FOLLOW, edge=Edge(stream=Stream()))),
        service("desk", msgspec.structs.replace(CHAT, edge=Edge(socket=Socket()))),
    ),
    gateway=Gateway(issuer=ISSUER, tls=Tls()),
)

ENABLE_CONNECT_PROTOCOL = 8
"""Setting of HTTP/2 by which a server takes WebSockets (RFC 8441, 3)."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with running(SYSTEM) as started:
        yield started


def port(world: World) -> int:
    where = world.layout.edge()
    assert isinstance(where, Tcp)
    return where.port


def trusting(world: World, *protocols: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=world.root.certificate)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


@pytest_asyncio.fixture(loop_scope="module")
async def desk(world: World) -> AsyncIterator[Service]:
    found, where = Service(), world.layout.replica("desk", 0)
    found.clear(where.path)
    async with unix_serve(found.converse, where.path, process_request=found.note, select_subprotocol=None):
        world.point("desk", where)
        await eventually_served(world, "desk")
        yield found


def opening(world: World, headers: dict[str, str], *protocols: str) -> connect:
    url = f"wss://127.0.0.1:{port(world)}/desks/berlin"
    return connect(url, additional_headers=headers, proxy=None, ssl=trusting(world, *protocols))


@pytest.mark.parametrize("protocols", [(), ("http/1.1",)], ids=["no ALPN", "http/1.1"])
async def test_a_conversation_over_tls(world: World, desk: Service, protocols: tuple[str, ...]) -> None:
    async with opening(world, world.bearer(), *protocols) as client:
        assert await said(client, "one") == "heard 'one'"
        assert await said(client, "x" * 60_000) == f"heard {'x' * 60_000!r}"
    assert desk.opened[0].headers["x-shoal-subject"] == "u1"


async def test_who_may_not_converse_over_tls_reaches_nobody(world: World, desk: Service) -> None:
    for headers, status in (({}, 401), ({**world.bearer(), "origin": "https://evil.example"}, 403)):
        with pytest.raises(InvalidStatus) as raised:
            await opening(world, headers)
        assert raised.value.response.status_code == status
    assert desk.opened == []


async def test_a_page_of_the_edge_itself_may(world: World, desk: Service) -> None:
    offered = f"shoal.json, bearer.{world.token()}"
    own = {"sec-websocket-protocol": offered, "origin": f"https://localhost:{port(world)}"}
    async with opening(world, own) as client:
        assert await said(client, "x") == "heard 'x'"
    plain = {"sec-websocket-protocol": offered, "origin": f"http://localhost:{port(world)}"}
    with pytest.raises(InvalidStatus) as raised:
        await opening(world, plain)
    assert raised.value.response.status_code == 403, "a page that came in plain text may have been changed on the way"
    assert len(desk.opened) == 1


async def test_http_2_promises_no_websockets(world: World) -> None:
    promised = await settings(world)
    assert promised, "the edge says what it takes"
    assert promised.get(ENABLE_CONNECT_PROTOCOL, 0) == 0


async def settings(world: World) -> dict[int, int]:
    """Read the settings with which the edge begins a connection of HTTP/2 (RFC 9113, 6.5)."""
    async with asyncio.timeout(WITHIN):
        reader, writer = await asyncio.open_connection("127.0.0.1", port(world), ssl=trusting(world, "h2"))
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5))
        head = await reader.readexactly(9)
        assert head[3] == 4, "the first frame is SETTINGS"
        body = await reader.readexactly(int.from_bytes(head[:3], "big"))
        writer.transport.abort()
    pairs = (body[at : at + 6] for at in range(0, len(body), 6))
    return {int.from_bytes(pair[:2], "big"): int.from_bytes(pair[2:], "big") for pair in pairs}


@contextlib.asynccontextmanager
async def telling(world: World) -> AsyncIterator[Teller]:
    teller, where = Teller(), world.layout.replica("orders", 0)
    server = await asyncio.start_unix_server(teller.serve, where.path)
    world.point("orders", where)
    await eventually_served(world, "orders")
    try:
        yield teller
    finally:
        server.close()


@pytest.mark.parametrize("version", ["1.1", "2"])
async def test_a_stream_over_tls(world: World, version: str) -> None:
    given = (
        "-sSN",
        f"--http{version}",
        "--cacert",
        world.layout.trust(),
        "-H",
        f"authorization: Bearer {world.token()}",
    )
    url = f"https://127.0.0.1:{port(world)}/orders/7/events"
    async with telling(world) as teller, asyncio.timeout(WITHIN):
        client = await create_subprocess_exec("curl", *given, "-D", "-", url, stdout=PIPE, stderr=DEVNULL)
        assert client.stdout is not None
        try:
            head = await client.stdout.readuntil(b"\r\n\r\n")
            assert head.startswith(f"HTTP/{version} 200".encode())
            assert b"content-type: text/event-stream" in head.lower()
            for part in (b"data: 1\n\n", b"data: 2\n\n"):
                teller.told.put_nowait(part)
                assert await client.stdout.readuntil(b"\n\n") == part
        finally:
            client.terminate()
            await client.wait()
        await teller.gone.wait()
