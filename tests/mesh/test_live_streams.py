"""Streams through the edge: let in by token, passed on as they come, outliving what bounds other answers."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from shoal.mesh.layout import Tcp
from shoal.mesh.manager import patience
from shoal.model.edge import Edge
from shoal.model.service import Policy
from shoal.model.streaming import LONGEST, Stream
from shoal.model.system import Gateway, System
from tests.mesh.samples import AUTH, ISSUER, PRINCIPAL, endpoint, planned, service
from tests.mesh.wire import WITHIN
from tests.mesh.world import World, eventually_served, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

FOLLOW = endpoint("follow", "GET", "/orders/{order_id}/events", PRINCIPAL, policy=Policy(timeout=LONGEST))
SYSTEM = System(
    name="streams",
    services=(AUTH, service("orders", msgspec.structs.replace(FOLLOW, edge=Edge(stream=Stream())))),
    gateway=Gateway(issuer=ISSUER),
)


class Teller:
    """An application that tells what it is given, until it is given nothing."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[bytes] = asyncio.Queue()
        self.asked, self.gone = 0, asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        telling = asyncio.ensure_future(self._tell(writer))
        await reader.read()
        telling.cancel()
        self.gone.set()
        writer.close()

    async def _tell(self, writer: asyncio.StreamWriter) -> None:
        while True:
            part = await self.told.get()
            writer.write(b"%x\r\n%s\r\n" % (len(part), part))
            await writer.drain()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with running(SYSTEM) as started:
        yield started


async def _open(world: World, headers: dict[str, str]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
    where = world.layout.edge()
    assert isinstance(where, Tcp)
    reader, writer = await asyncio.open_connection(where.host, where.port)
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"GET /orders/7/events HTTP/1.1\r\nhost: x\r\n{fields}\r\n".encode())
    return reader, writer, await reader.readuntil(b"\r\n\r\n")


async def test_parts_pass_at_once_and_the_end_of_the_client_reaches_the_service(world: World) -> None:
    teller, where = Teller(), world.layout.replica("orders", 0)
    server = await asyncio.start_unix_server(teller.serve, where.path)
    world.point("orders", where)
    await eventually_served(world, "orders")
    async with asyncio.timeout(WITHIN):
        _, refused, head = await _open(world, {})
        refused.transport.abort()
        assert b" 401 " in head.splitlines()[0]
        assert teller.asked == 0, "who has no token reaches nobody"
        reader, writer, head = await _open(world, world.bearer())
        assert b" 200 " in head.splitlines()[0]
        assert b"content-type: text/event-stream" in head
        for part in (b"data: 1\n\n", b": \n\n", b"data: 2\n\n"):
            teller.told.put_nowait(part)
            assert (await reader.readuntil(b"\n\n\r\n")).endswith(part + b"\r\n")
        writer.transport.abort()
        await teller.gone.wait()
    server.close()


async def test_a_stream_makes_nobody_else_patient() -> None:
    assert patience(planned(SYSTEM)) == 60.0
