"""Too many connections, or too little memory: the edge refuses by a problem document, or lets nobody in.

The bounds are lowered here; `test_hardening` says what they are.
"""

import contextlib
from collections.abc import AsyncIterator

import pytest

from shoal.mesh import hardening
from shoal.model.system import Gateway, System
from tests.mesh.hostile import Peer, peer
from tests.mesh.samples import endpoint, service
from tests.mesh.wire import ask, eventually_true
from tests.mesh.world import World, everyone, running

pytestmark = pytest.mark.live

SYSTEM = System(name="tiny", services=(service("shop", endpoint("open", "GET", "/open")),), gateway=Gateway())
FEW = 20
ASK = b"GET /open HTTP/1.1\r\nhost: a\r\n\r\n"


@contextlib.asynccontextmanager
async def bounded(name: str, value: object) -> AsyncIterator[World]:
    """Run the edge with another bound."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hardening, name, value)
        async with running(SYSTEM) as world, everyone(world):
            yield world


async def answered(made: Peer) -> bool:
    """Ask over a connection that is kept, and tell whether it was answered."""

    async def said() -> bool:
        return b"\r\n" in made.got or made.closed.is_set()

    made.got.clear()
    await made.send(ASK)
    await eventually_true(said)
    return made.got.startswith(b"HTTP/1.1 200")


async def test_connections_above_the_bound_are_closed_and_the_others_are_served() -> None:
    async with bounded("CONNECTION_LIMIT", FEW) as world, contextlib.AsyncExitStack() as stack:
        served = [await stack.enter_async_context(peer(world)) for _ in range(FEW)]
        assert all([await answered(made) for made in served])
        late = [await stack.enter_async_context(peer(world)) for _ in range(FEW)]
        assert not any([await answered(made) for made in late])
        assert all([await answered(made) for made in served]), "those that are in keep their place"
        served[0].writer.transport.abort()

        async def room() -> bool:
            async with peer(world) as made:
                return await answered(made)

        await eventually_true(room)


async def pressure(world: World) -> str:
    answer = await ask(world.layout.admin(), "GET /stats?filter=overload.*active", headers={"content-length": "0"})
    return answer.body.decode()


async def test_without_memory_requests_are_refused_by_a_problem_document() -> None:
    async with contextlib.AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(hardening, "STEPS", {"envoy.overload_actions.stop_accepting_requests": 0.95})
        patch.setattr(hardening, "POINTS", {})
        patch.setattr(hardening, "HEAP_LIMIT", 1024)
        world = await stack.enter_async_context(running(SYSTEM))

        async def active() -> bool:
            return "overload.envoy.overload_actions.stop_accepting_requests.active: 1" in await pressure(world)

        await eventually_true(active)
        answer = await world.edge("GET /open")
        assert (answer.status, answer.headers["content-type"]) == (503, "application/problem+json")
        assert answer.json["type"] == "urn:shoal:problem:unavailable"
        assert b"overload" not in answer.body
        assert answer.headers["connection"] == "close"


async def test_without_memory_nobody_is_let_in() -> None:
    async with contextlib.AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(hardening, "HEAP_LIMIT", 1024)
        world = await stack.enter_async_context(running(SYSTEM))

        async def closed() -> bool:
            async with peer(world) as made:
                return not await answered(made) and not made.got

        await eventually_true(closed)
