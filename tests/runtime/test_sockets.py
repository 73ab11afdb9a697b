"""Sockets: who may converse, what is said, and with which code it ends."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from websockets.asyncio.client import unix_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from shoal import (
    Cors,
    Disconnected,
    Gateway,
    Issuer,
    Postgres,
    Principal,
    Problem,
    Service,
    Socket,
    System,
    TokenIssuer,
    Transact,
    Transaction,
    Watch,
    anyone,
    event,
    record,
    role,
    signed_in,
)
from shoal.errors import DeclarationError
from shoal.model.openapi import openapi
from shoal.model.system import from_json, to_json
from shoal.runtime import conversation, server, watching
from shoal.runtime.answers import ends
from shoal.service.describe import describe, describe_service
from shoal.testing import MemorySystem
from tests.mesh.wire import eventually_true


class Said(msgspec.Struct, frozen=True, kw_only=True):
    text: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    by: str
    text: str
    number: int = 0


@event("rooms.spoken", key="room")
class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    room: str


@record("rooms", key="room")
class Room(msgspec.Struct, frozen=True, kw_only=True):
    room: str
    last: str
    count: int


rooms = Service("rooms", store=Postgres(), publishes=[Spoken])
ended: list[str] = []


@rooms.post("/login", access=anyone)
async def login(issuer: TokenIssuer) -> str:
    return issuer.issue("x")


@rooms.socket("/rooms/{room}/echo", access=signed_in)
async def echo(room: str, socket: Socket[Said, Told], principal: Principal) -> None:
    """Say what was said."""
    if room == "closed":
        raise Problem(404, "no-such-room")
    try:
        async for said in socket:
            if said.text == "fail":
                raise ValueError("secret")
            if said.text == "refuse":
                raise Problem(409, "enough")
            await socket.send(Told(by=principal.subject, text=said.text))
        await socket.send(Told(by="service", text="goodbye"))
    except Disconnected:
        ended.append("disconnected")
        raise
    finally:
        ended.append(room)


@rooms.socket("/rooms/{room}/chat", on=[Spoken], access=anyone)
async def chat(room: str, socket: Socket[Said, Told], transact: Transact, watch: Watch) -> None:
    async def read(tx: Transaction) -> Room | None:
        return await tx.get(Room, room)

    async def tell() -> None:
        async for found in watch(read):
            if found is not None:
                await socket.send(Told(by=room, text=found.last, number=found.count))

    async with asyncio.TaskGroup() as group:
        telling = group.create_task(tell())
        async for said in socket:

            async def note(tx: Transaction, text: str = said.text) -> None:
                before = await tx.get(Room, room, lock=True)
                tx.put(Room(room=room, last=text, count=before.count + 1 if before else 1))
                tx.publish(Spoken(room=room))

            await transact(note)
        telling.cancel()


@rooms.socket("/staff", access=role("staff"))
async def staff(socket: Socket[Said, Told]) -> None:
    await socket.send(Told(by="staff", text="hello"))


@rooms.socket("/tight", access=anyone, largest=40, rate=2)
async def tight(socket: Socket[Said, Told]) -> None:
    async for said in socket:
        await socket.send(Told(by="", text=said.text))


@rooms.socket("/still", access=anyone, idle=0.1)
async def still(socket: Socket[Said, Told]) -> None:
    async for _ in socket:
        pass


@rooms.socket("/short", access=anyone, timeout=0.2)
async def short(socket: Socket[Said, Told]) -> None:
    async for _ in socket:
        pass


@rooms.get("/plain", access=anyone)
async def plain() -> str:
    return "plain"


SYSTEM = System(
    "house",
    services=[rooms],
    issuer=Issuer(rooms, audience="house"),
    gateway=Gateway(port=8099, cors=Cors(origins=("https://house.example",))),
)


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MemorySystem]:
    monkeypatch.setattr(ends, "LOOK", 0.0)
    monkeypatch.setattr(watching, "LOOK", 0.01)
    monkeypatch.setattr(conversation, "GRACE", 1.0)
    ended.clear()
    started = MemorySystem(SYSTEM, tmp_path)
    await started.start()
    yield started
    await started.stop()


async def test_messages_go_both_ways(running: MemorySystem) -> None:
    async with running.socket("/rooms/a/echo", token=running.token("ada")) as client:
        assert client.status == 101
        for text in ("one", "two"):
            await client.say(Said(text=text))
            assert await client.hear() == {"by": "ada", "text": text, "number": 0}
    assert ended == ["disconnected", "a"], "who goes on after the client has gone is told"


async def test_what_is_said_commits_and_reaches_the_others(running: MemorySystem) -> None:
    async with running.socket("/rooms/a/chat") as ada, running.socket("/rooms/a/chat") as bob:
        await ada.say(Said(text="hello"))
        for client in (ada, bob):
            assert await client.hear() == {"by": "a", "text": "hello", "number": 1}
        await bob.say(Said(text="hi"))
        assert (await ada.hear())["number"] == 2


async def test_a_refusal_is_an_answer_of_its_own(running: MemorySystem) -> None:
    ada, boss = running.token("ada"), running.token("boss", roles=["staff"])
    for path, token, status in (
        ("/rooms/a/echo", "", 401),
        ("/rooms/a/echo", "a.b.c", 401),
        ("/rooms/closed/echo", ada, 404),
        ("/nowhere", ada, 404),
        ("/staff", ada, 403),
        ("/staff", boss, 101),
        ("/plain", ada, 403),
    ):
        async with running.socket(path, token=token) as client:
            assert client.status == status, path
            if status != 101:
                assert client.refusal["status"] == status
    assert (await running.get("/rooms/a/echo", token=ada)).status == 426


async def test_pages_offer_their_token_and_must_be_of_a_known_origin(running: MemorySystem) -> None:
    offer = {"sec-websocket-protocol": f"shoal.json, bearer.{running.token('ada')}"}
    for origin, status in (
        ("https://house.example", 101),
        ("http://localhost:8099", 101),
        ("https://evil.example", 403),
        ("http://localhost:9", 403),
        ("null", 403),
    ):
        async with running.socket("/rooms/a/echo", headers={**offer, "origin": origin}) as client:
            assert client.status == status, origin
            assert client.subprotocol == ("shoal.json" if status == 101 else "")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"text": "{"}, 1007),
        ({"text": '{"text": 1}'}, 1007),
        ({"bytes": b"x"}, 1003),
        ({"text": '{"text": "fail"}'}, 1011),
        ({"text": '{"text": "refuse"}'}, 1008),
    ],
)
async def test_what_cannot_be_taken_ends_it(running: MemorySystem, message: dict[str, object], code: int) -> None:
    async with running.socket("/rooms/a/echo", token=running.token("ada")) as client:
        client.send_raw(**message)
        assert await client.closed() == code
    assert ended == ["a"]


async def test_it_is_bounded(running: MemorySystem) -> None:
    async with running.socket("/tight") as client:
        await client.say(Said(text="x" * 40))
        assert await client.closed() == 1009
    async with running.socket("/tight") as client:
        for _ in range(4):
            await client.say(Said(text="x"))
        assert await client.closed() == 1008
    for path in ("/still", "/short"):
        async with running.socket(path) as client:
            assert await client.closed() == 1001
    async with running.socket("/staff", token=running.token("boss", roles=["staff"])) as client:
        assert await client.hear()
        assert await client.closed() == 1000


async def test_it_ends_with_its_token(running: MemorySystem) -> None:
    async with running.socket("/rooms/a/echo", token=running.token("ada", lifetime=1.0)) as client:
        assert client.status == 101
        assert await client.closed() == 1008


async def test_it_ends_in_order_when_the_process_leaves(running: MemorySystem) -> None:
    token = running.token("ada")
    async with running.socket("/rooms/a/echo", token=token) as client:
        await client.say(Said(text="last"))
        running._hosts["rooms"].leave()
        assert [(await client.hear())["text"] for _ in range(2)] == ["last", "goodbye"]
        assert await client.closed() == 1001
    async with running.socket("/rooms/a/echo", token=token) as late:
        assert late.status == 503


async def test_the_server_speaks_it(running: MemorySystem, tmp_path: Path) -> None:
    host, path, up = running._hosts["rooms"], str(tmp_path / "s"), asyncio.Event()
    served = server._Server(server._configuration(host, f"unix:{path}", 5.0, host.message), up.set)
    serving = asyncio.ensure_future(served.serve())
    bearer = {"authorization": f"Bearer {running.token('ada')}"}

    async def shut() -> bool:
        return not served.servers[0].is_serving()

    async with asyncio.timeout(20):
        await up.wait()
        with pytest.raises(InvalidStatus) as refused:
            await unix_connect(path, "ws://x/rooms/a/echo")
        assert refused.value.response.status_code == 401
        assert refused.value.response.headers["content-type"] == "application/problem+json"
        large = await unix_connect(path, "ws://x/rooms/a/echo", additional_headers=bearer)
        await large.send("x" * (host.message + 1))
        with pytest.raises(ConnectionClosed):
            await large.recv()
        assert large.close_code == 1009
        client = await unix_connect(path, "ws://x/rooms/a/echo", additional_headers=bearer)
        assert "permessage-deflate" not in client.response.headers.get("sec-websocket-extensions", "")  # type: ignore[union-attr]
        await (await client.ping())
        await client.send('{"text": "hello"}')
        assert b'"hello"' in await client.recv(decode=False)
        served.leave()
        await eventually_true(shut)
        host.leave()
        assert b"goodbye" in await client.recv(decode=False)
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert client.close_code == 1001
        await serving


def test_the_model_carries_it() -> None:
    described = describe(SYSTEM)
    assert from_json(to_json(described)) == described
    operation = openapi(describe_service(rooms, issues_tokens=True))["paths"]["/rooms/{room}/echo"]["get"]
    assert list(operation["responses"]) == ["101", "default"]
    assert operation["x-websocket"]["sends"] == {"$ref": "#/components/schemas/Told"}
    assert "requestBody" not in operation


def test_what_is_no_socket_is_refused() -> None:
    service = Service("x", store=Postgres())

    async def none(text: str) -> None: ...
    async def lasting(socket: Socket[Said, Told], tx: Transaction) -> None: ...

    for handler, said in ((none, "0 parameters"), (lasting, "as long as it")):
        service = Service("x", store=Postgres())
        service.socket("/x", access=anyone)(handler)
        with pytest.raises(DeclarationError, match=said):
            describe_service(service)
    service = Service("x", store=Postgres())
    service.get("/x", access=anyone)(echo)
    with pytest.raises(DeclarationError):
        describe_service(service)
    with pytest.raises(DeclarationError, match="about answers"):
        service.socket("/y", access=anyone, idempotent=True)(echo)
    with pytest.raises(DeclarationError, match="no rate"):
        service.socket("/y", rate=0)
