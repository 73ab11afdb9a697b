"""Those who ask for much and read nothing hold neither the others' requests nor Envoy's memory."""

import contextlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shoal.model.service import Policy
from shoal.model.system import Gateway, System
from tests.mesh.hostile import (
    END_HEADERS,
    END_STREAM,
    GROWTH,
    HEADERS,
    SETTINGS,
    frame,
    memory,
    number,
    peer2,
    serving_endlessly,
)
from tests.mesh.hostile import request as fields
from tests.mesh.samples import endpoint, service
from tests.mesh.wire import App, eventually_true, serving
from tests.mesh.world import World, eventually_served, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

PATIENT = Policy(timeout=120)
SYSTEM = System(
    name="tiny",
    services=(
        service("shop", endpoint("open", "GET", "/open"), endpoint("big", "GET", "/big", policy=PATIENT)),
        service("store", endpoint("keep", "POST", "/keep")),
    ),
    gateway=Gateway(),
)
NO_WINDOW = b"\x00\x04\x00\x00\x00\x00"
"""The setting of HTTP/2 that lets the other side send no byte of an answer."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with running(SYSTEM) as started, serving_endlessly(started, "shop"):
        yield started


async def test_those_who_read_nothing_hold_up_nobody_else(world: World) -> None:
    before = await memory(world)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(2):
            made = await stack.enter_async_context(peer2(world))
            await made.send(frame(SETTINGS, 0, 0, NO_WINDOW))
            for stream in range(1, 100, 2):
                await made.send(frame(HEADERS, END_STREAM | END_HEADERS, stream, fields(b"/big")))

        async def all_wait() -> bool:
            return await number(world, "cluster.gateway.shop.upstream_flow_control_paused_reading_total") >= 100

        await eventually_true(all_wait)
        for _ in range(20):  # on each of the connections between the listeners
            assert (await world.edge("GET /open")).status == 200
        assert await number(world, "http.edge.downstream_rq_active") == 100, "the others waited until these were let go"
        assert await memory(world) - before < GROWTH


async def test_a_body_that_a_dead_replica_did_not_take_goes_to_a_living_one(world: World) -> None:
    alive, dead = world.layout.replica("store", 0), world.layout.replica("store", 1)
    app = App(name="store")
    async with serving(app, alive):
        world.point("store", dead, alive)
        await eventually_served(world, "store")
        body = b"x" * 512 * 1024
        for _ in range(6):
            assert (await world.edge("POST /keep", body=body)).status == 200
        assert {len(request.body) for request in app.seen} == {len(body)}
