"""WebSockets through the edge: upgraded where a socket is declared, for those who may, from pages that may."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Request, Response

from shoal.mesh.layout import Tcp
from shoal.mesh.manager import patience
from shoal.model.cors import Cors
from shoal.model.edge import Edge
from shoal.model.service import Access, Policy
from shoal.model.sockets import Socket
from shoal.model.streaming import LONGEST
from shoal.model.system import Gateway, System
from tests.mesh.samples import ANYONE, AUTH, ISSUER, PRINCIPAL, endpoint, planned, service
from tests.mesh.wire import eventually_true
from tests.mesh.world import World, eventually_served, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

EDGE, LASTING = Edge(socket=Socket()), Policy(timeout=LONGEST)
CHAT = endpoint("chat", "GET", "/orders/{order_id}/chat", PRINCIPAL, policy=LASTING)
STAFF = endpoint("staff", "GET", "/staff", Access(kind="principal", roles=("staff",)), policy=LASTING)
SYSTEM = System(
    name="sockets",
    services=(
        AUTH,
        service(
            "orders",
            msgspec.structs.replace(CHAT, edge=EDGE),
            msgspec.structs.replace(STAFF, edge=EDGE),
            endpoint("get", "GET", "/orders/{order_id}", ANYONE),
        ),
    ),
    gateway=Gateway(issuer=ISSUER, cors=Cors(origins=("https://shop.example",))),
)


class Service:
    """The application: answers what it hears, and remembers who opened what."""

    def __init__(self) -> None:
        self.opened: list[Request] = []
        self.codes: list[int | None] = []
        self.server: Server

    async def converse(self, connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in connection:
                if message == "bye":
                    await connection.close(1008, "enough")
                await connection.send(f"heard {message!r}")
        await connection.wait_closed()
        self.codes.append(connection.close_code)

    def clear(self, path: str) -> None:
        Path(path).unlink(missing_ok=True)

    def note(self, connection: ServerConnection, request: Request) -> Response | None:
        self.opened.append(request)
        return connection.respond(404, "no such order\n") if "/none/" in request.path else None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with running(SYSTEM) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def app(world: World) -> AsyncIterator[Service]:
    found, where = Service(), world.layout.replica("orders", 0)
    found.clear(where.path)
    async with unix_serve(
        found.converse, where.path, process_request=found.note, select_subprotocol=None
    ) as found.server:
        world.point("orders", where)
        await eventually_served(world, "orders")
        yield found


def opening(world: World, path: str, headers: dict[str, str] | None = None, **more: object) -> connect:
    where = world.layout.edge()
    assert isinstance(where, Tcp)
    return connect(f"ws://{where.host}:{where.port}{path}", additional_headers=headers, proxy=None, **more)  # type: ignore[arg-type]


async def refused(world: World, path: str, headers: dict[str, str] | None = None) -> Response:
    with pytest.raises(InvalidStatus) as raised:
        await opening(world, path, headers)
    return raised.value.response


async def said(client: ClientConnection, text: str) -> str:
    await client.send(text)
    return str(await client.recv())


async def test_messages_pass_both_ways_and_codes_as_well(world: World, app: Service) -> None:
    async with opening(world, "/orders/7/chat", world.bearer()) as client:
        assert await said(client, "one") == "heard 'one'"
        assert await said(client, "x" * 100_000) == f"heard {'x' * 100_000!r}"
        await client.send("bye")
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert (client.close_code, client.close_reason) == (1008, "enough")
    async with opening(world, "/orders/7/chat", world.bearer()) as client:
        await client.close(1001)

    async def told() -> bool:
        return app.codes == [1008, 1001]

    await eventually_true(told)
    assert app.opened[0].headers["x-shoal-subject"] == "u1"


async def test_who_may_not_reaches_nobody(world: World, app: Service) -> None:
    for path, headers, status in (
        ("/orders/7/chat", {}, 401),
        ("/orders/7/chat", world.bearer("a.b.c"), 401),
        ("/staff", world.bearer(), 403),
        ("/nowhere", world.bearer(), 403),
        ("/orders/7/chat", {**world.bearer(), "origin": "https://evil.example"}, 403),
        ("/orders/7/chat", {**world.bearer(), "origin": "null"}, 403),
        ("/orders/7", {}, 403),
    ):
        answer = await refused(world, path, headers)
        assert answer.status_code == status, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert json.loads(answer.body or b"")["status"] == status
    assert app.opened == []
    assert (await refused(world, "/orders/none/chat", world.bearer())).status_code == 404, "the service's own answer"
    async with opening(world, "/staff", world.bearer(world.token({"roles": ["staff"]}))) as client:
        assert await said(client, "x")


async def test_pages_of_known_origins_offer_their_token(world: World, app: Service) -> None:
    for origin in ("https://shop.example", f"http://localhost:{world.layout.port}"):
        offered = {"sec-websocket-protocol": f"shoal.json, bearer.{world.token()}", "origin": origin}
        async with opening(world, "/orders/7/chat", offered) as client:
            assert await said(client, "x") == "heard 'x'"
    assert app.opened[0].headers["x-shoal-subject"] == "u1"
    bad = {"sec-websocket-protocol": "shoal.json, bearer.a.b.c"}
    assert (await refused(world, "/orders/7/chat", bad)).status_code == 401


async def test_other_upgrades_are_refused_and_the_log_has_it(world: World, app: Service) -> None:
    other = {"upgrade": "irc", "connection": "upgrade", **world.bearer()}
    assert (await world.edge("GET /orders/7/chat", headers=other)).status == 403
    assert app.opened == []
    async with opening(world, "/orders/log/chat", world.bearer()) as client:
        assert await said(client, "x")
    found: list[dict[str, object]] = []

    async def logged() -> bool:
        lines = [json.loads(line) for line in world.access_log().splitlines() if line.endswith("}")]
        found[:] = [line for line in lines if line["path"] == "/orders/log/chat"]
        return len(found) == 2

    await eventually_true(logged)
    assert {line["hop"] for line in found} == {"edge", "inbound.orders"}
    assert {line["status"] for line in found} == {101}


def written(world: World, listener: str) -> str:
    return Path(world.layout.path(f"rds/{listener}.json")).read_text("utf-8")


async def test_only_what_is_declared_can_be_upgraded(world: World) -> None:
    for listener in ("edge", "inbound.orders"):
        assert written(world, listener).count("upgrade_configs") == 2
    assert patience(planned(SYSTEM)) == 60.0
