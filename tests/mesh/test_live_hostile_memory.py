"""A service behind the edge stays small, whatever the sizes and numbers in which clients come."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from shoal.model.edge import LARGEST
from shoal.model.system import Gateway, System
from tests.mesh.diary import Memory, process
from tests.mesh.hostile import TIMES, Peer, peer, serve
from tests.mesh.samples import endpoint, service
from tests.mesh.test_live_hostile_sizes import OVERSIZED, chunks, post, status_of
from tests.mesh.wire import eventually_true
from tests.mesh.world import World, eventually_served, running

pytestmark = [
    pytest.mark.live,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(TIMES == 1, reason="make hostile: a process of its own takes too long for every day"),
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how much a process had"),
]

MIB = 1024 * 1024
LITTLE = 16 * MIB
"""Bytes by which a service may grow while others are refused, or only hold connections."""

AT_ONCE = 20
"""Bodies as large as they may be, read at the same time."""

EACH = 3
"""Times its own size that a body may take while it is read and taken apart."""

SHOP = service("shop", endpoint("open", "GET", "/open"), endpoint("write", "POST", "/write"))
SYSTEM = System(name="tiny", services=(SHOP,), gateway=Gateway())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def attacked() -> AsyncIterator[tuple[World, Memory]]:
    async with running(SYSTEM) as world:
        where = world.layout.replica("shop", 0)
        async with process(where) as memory:
            world.point("shop", where)
            await eventually_served(world, "shop")

            async def answers() -> bool:
                return (await world.edge("GET /open")).status == 200

            await eventually_true(answers)
            yield world, memory


async def refused_bodies(world: World) -> None:
    """Send much more than is taken, in chunks, so that nobody knows beforehand."""

    async def one() -> None:
        async with peer(world) as made:
            await made.send(post("/write", "transfer-encoding: chunked"))
            await made.send_all(chunks(64 * MIB))
            assert await status_of(made) == 413

    for _ in range(TIMES):
        await asyncio.gather(*(one() for _ in range(10)))


async def refused_heads(world: World) -> None:
    """Send heads of every kind of size, many at a time."""

    async def one(sent: bytes, status: int) -> None:
        async with peer(world) as made:
            await made.send(sent)
            assert await status_of(made) == status

    for _ in range(TIMES):
        await asyncio.gather(*(one(*OVERSIZED[name]) for name in OVERSIZED))


async def many_connections(world: World) -> None:
    """Hold connections that have been served once, and ask for no more."""
    async with contextlib.AsyncExitStack() as stack:
        made: list[Peer] = [await stack.enter_async_context(peer(world)) for _ in range(min(100 * TIMES, 2000))]
        for each in made:
            await each.send(b"GET /open HTTP/1.1\r\nhost: a\r\n\r\n")
        assert {await status_of(each) for each in made} <= {200, 503}, "no more at a time than a service takes"


async def large_heads(world: World) -> None:
    """Send heads as large as they may be."""
    fields = {f"x-{number}": "a" * 300 for number in range(80)}
    for _ in range(TIMES):
        answers = await asyncio.gather(*(world.edge("GET /open", headers=fields) for _ in range(50)))
        assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize("attack", [refused_bodies, refused_heads, many_connections, large_heads])
async def test_it_does_not_grow(attacked: tuple[World, Memory], attack: Callable[[World], Awaitable[None]]) -> None:
    world, memory = attacked
    memory.forget()
    before = memory.most()
    await attack(world)
    await serve(world)
    assert memory.most() - before < LITTLE


async def test_the_largest_bodies_take_what_they_hold_and_it_is_given_back(attacked: tuple[World, Memory]) -> None:
    world, memory = attacked
    memory.forget()
    before, text = memory.most(), LARGEST - len('{"text":""}')
    body = b'{"text":"' + b"x" * text + b'"}'
    for _ in range(TIMES):
        headers = {"content-type": "application/json"}
        asked = (world.edge("POST /write", headers=headers, body=body) for _ in range(AT_ONCE))
        assert {answer.body for answer in await asyncio.gather(*asked)} == {str(text).encode()}
        assert memory.most() - before < AT_ONCE * EACH * LARGEST
    memory.forget()
    await serve(world)
    assert memory.most() - before < AT_ONCE * LARGEST // 2, "it does not pile up"
