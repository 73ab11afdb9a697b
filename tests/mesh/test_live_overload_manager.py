"""Too many connections, or too little memory: the edge refuses by a problem document, or lets nobody in.

The bounds are lowered here; `test_hardening` says what they are.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from msgspec.structs import replace

from shoal.mesh import hardening, windows
from shoal.model.edge import Edge
from shoal.model.system import Gateway, System
from tests.mesh.hostile import (
    ACK,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    RST,
    SETTINGS,
    Peer,
    frame,
    number,
    peer,
    peer2,
)
from tests.mesh.hostile import request as fields
from tests.mesh.samples import endpoint, service
from tests.mesh.wire import eventually_true
from tests.mesh.world import World, everyone, running

pytestmark = pytest.mark.live

PART, PARTS = 4 * 1024 * 1024, 10
"""Bytes of an unfinished body, and how many of them there are at the most."""

WRITE = replace(endpoint("write", "POST", "/write"), edge=Edge(largest=2 * PART))
SYSTEM = System(name="tiny", services=(service("shop", endpoint("open", "GET", "/open"), WRITE),), gateway=Gateway())
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


LITTLE = 1024
"""Bytes of memory that Envoy always has used up."""

PATIENT = dict.fromkeys(hardening.PATIENCE, 60.0)


@contextlib.asynccontextmanager
async def pressed(step: str = "", *, memory: int = LITTLE, **other: object) -> AsyncIterator[World]:
    """Run the edge with one step of all that the overload manager takes, and with too little memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hardening, "HEAP_LIMIT", memory)
        patch.setattr(hardening, "STEPS", {name: at for name, at in hardening.STEPS.items() if name == step})
        patch.setattr(hardening, "POINTS", {name: at for name, at in hardening.POINTS.items() if name == step})
        patch.setattr(hardening, "LINGER", 0.1)
        for name, value in {"PATIENCE": PATIENT, **other}.items():
            patch.setattr(hardening, name, value)
        async with running(SYSTEM) as world, everyone(world):
            yield world


async def heard(world: World) -> bytes:
    """Ask over HTTP/1.1, and return what was said before the end of the connection."""
    async with peer(world) as made:
        await made.send(b"GET /open HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        return await made.ended()


async def kept(world: World) -> bool:
    return await answer_over_one(world) == "kept"


async def ended(world: World) -> bool:
    return await answer_over_one(world) == "ended"


async def answer_over_one(world: World) -> str:
    """Tell what an answer says of its connection; nothing where there is no answer yet."""
    async with peer(world) as made:
        if not await answered(made):
            return ""
        await eventually_true(lambda: finished(made))
        return "ended" if b"\r\nconnection: close\r\n" in made.got else "kept"


async def finished(made: Peer) -> bool:
    return made.got.endswith(b"}") or made.closed.is_set()


async def sent_away(world: World) -> bool:
    """Tell whether a client of HTTP/2 is told to go, and still has its answer."""
    async with peer2(world) as made:
        await made.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, fields()))

        async def said() -> bool:
            return HEADERS in {kind for kind, _, _ in made.frames()} or made.closed.is_set()

        await eventually_true(said)
        return {HEADERS, GOAWAY} <= {kind for kind, _, _ in made.frames()}


async def nothing_said(world: World) -> bool:
    return await heard(world) == b""


def refused(status: int, kind: bytes) -> Callable[[World], Awaitable[bool]]:
    """Make a check for a problem document of this type."""

    async def check(world: World) -> bool:
        said = await heard(world)
        assert b"overload" not in said, "it tells nothing of the inside"
        document = b"\r\ncontent-type: application/problem+json\r\n" in said and b'"%s"' % kind in said
        return said.startswith(b"HTTP/1.1 %d" % status) and document and b"\r\nconnection: close\r\n" in said

    return check


UNAVAILABLE = refused(503, b"urn:shoal:problem:unavailable")
STEPS: dict[str, Callable[[World], Awaitable[bool]]] = {
    "envoy.overload_actions.shrink_heap": kept,
    "envoy.overload_actions.disable_http_keepalive": ended,
    "envoy.overload_actions.stop_accepting_requests": UNAVAILABLE,
    "envoy.overload_actions.reject_incoming_connections": nothing_said,
    "envoy.load_shed_points.http_connection_manager_decode_headers": UNAVAILABLE,
    "envoy.load_shed_points.http1_server_abort_dispatch": refused(500, b"about:blank"),
    "envoy.load_shed_points.http2_server_go_away_on_dispatch": sent_away,
    "envoy.load_shed_points.hcm_ondata_creating_codec": nothing_said,
    "envoy.load_shed_points.tcp_listener_accept": nothing_said,
}
"""What a client meets when memory is short, step by step."""


def test_every_step_has_its_row() -> None:
    assert STEPS.keys() == {**hardening.STEPS, **hardening.POINTS}.keys()


@pytest.mark.parametrize("step", STEPS)
async def test_each_step_alone_does_what_it_should(step: str) -> None:
    async with pressed(step) as world:
        if step in hardening.STEPS:
            await eventually_true(lambda: active(world, step))
        await eventually_true(lambda: STEPS[step](world))


async def active(world: World, action: str) -> bool:
    return await number(world, rf"overload.{action}.active") == 1


async def test_patience_shrinks_with_the_memory() -> None:
    async with pressed(PATIENCE=dict.fromkeys(hardening.PATIENCE, 0.2)) as world:
        await eventually_true(lambda: active(world, "envoy.overload_actions.reduce_timeouts"))
        async with peer(world) as made:
            assert await made.ended() == b"", f"long before {hardening.IDLE:g} s"


async def test_the_streams_that_hold_most_are_cut_and_the_others_are_served() -> None:
    """Fill the memory by bodies that never end; HTTP/2 only, as Envoy does it."""
    room = {"initial_stream_window_size": 2 * PART, "initial_connection_window_size": 2 * PART}
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).setattr(windows, "CLIENT", room)
        world = await stack.enter_async_context(pressed(memory=32 * 1024 * 1024))
        makers: list[Peer] = []

        async def cut() -> bool:
            if len(makers) < PARTS:
                makers.append(await stack.enter_async_context(peer2(world)))
                await upload(makers[-1])
            return any(kind == RST for made in makers for kind, _, _ in made.frames())

        await eventually_true(cut)
        assert await number(world, "envoy.overload_actions.reset_high_memory_stream.count")
        assert (await world.edge("GET /open")).status == 200


async def upload(made: Peer) -> None:
    """Send a large part of a body that is still longer."""

    async def agreed() -> bool:
        return SETTINGS in {kind for kind, _, _ in made.frames()}

    await eventually_true(agreed)
    await made.send(frame(SETTINGS, ACK, 0) + frame(HEADERS, END_HEADERS, 1, fields(b"/write", b"\x83")))
    await made.send_all(frame(DATA, 0, 1, bytes(16_000)) for _ in range(PART // 16_000))
