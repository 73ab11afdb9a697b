"""Those who take their time are let go when their time is over; meanwhile others are served.

The times are shortened here; `test_hardening` says what they are.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from shoal.mesh import hardening, manager
from shoal.model.service import Policy
from shoal.model.system import Gateway, System
from tests.mesh.hostile import (
    END_HEADERS,
    END_STREAM,
    HEADERS,
    SETTINGS,
    TIMES,
    Peer,
    frame,
    number,
    peer,
    peer2,
    serving_endlessly,
    unharmed,
)
from tests.mesh.hostile import request as fields
from tests.mesh.samples import endpoint, service
from tests.mesh.wire import eventually_true
from tests.mesh.world import World, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

SOCKETS = 50 * TIMES
SHORT = 1.5

SHOP = service(
    "shop",
    endpoint("open", "GET", "/open"),
    endpoint("big", "GET", "/big", policy=Policy(timeout=SHORT)),
    endpoint("write", "POST", "/write"),
)
SYSTEM = System(name="tiny", services=(SHOP,), gateway=Gateway())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        for name, time in (("IDLE", 2 * SHORT), ("HEADERS_WITHIN", SHORT), ("REQUEST_WITHIN", SHORT)):
            patch.setattr(hardening, name, time)
        patch.setattr(hardening, "LINGER", 0.1)
        patch.setattr(manager, "patience", lambda _: SHORT)
        async with running(SYSTEM) as started, serving_endlessly(started, "shop"):
            yield started


async def nothing(_: Peer) -> None:
    """Connect, and no more."""


async def half_a_head(made: Peer) -> None:
    await made.send(b"GET /open HTTP/1.1\r\nhost: a\r\n")


async def dripping_head(made: Peer) -> None:
    """Say something again and again, so that no silence ends it."""
    await made.send(b"GET /open HTTP/1.1\r\nhost: a\r\n")
    for n in range(1000):
        await asyncio.sleep(SHORT / 10)
        if not await made.send(b"x-%d: 1\r\n" % (n % 50)):
            return


async def half_a_body(made: Peer) -> None:
    await made.send(b"POST /write HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nx")


async def dripping_body(made: Peer) -> None:
    await made.send(b"POST /write HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\nx")
    for _ in range(1000):
        await asyncio.sleep(SHORT / 10)
        if not await made.send(b"x"):
            return


ATTACKS: tuple[Callable[[Peer], Awaitable[None]], ...] = (
    nothing,
    half_a_head,
    dripping_head,
    half_a_body,
    dripping_body,
)


@pytest.mark.parametrize("behaviour", ATTACKS)
async def test_the_slow_are_let_go(world: World, behaviour: Callable[[Peer], Awaitable[None]]) -> None:
    async def one() -> bytes:
        async with peer(world) as made:
            await behaviour(made)
            return await made.ended()

    async def attack() -> None:
        said = await asyncio.gather(*(one() for _ in range(SOCKETS)))
        assert {text[:12] for text in said} <= {b"", b"HTTP/1.1 408"}, said[0]

    await unharmed(world, attack)


@pytest.mark.parametrize(
    ("behaviour", "counter"),
    [(half_a_head, "downstream_rq_header_timeout"), (half_a_body, "downstream_rq_timeout")],
)
async def test_heads_and_bodies_have_times_of_their_own(
    world: World, behaviour: Callable[[Peer], Awaitable[None]], counter: str
) -> None:
    before = await number(world, f"http.edge.{counter}")

    async def struck() -> bool:
        async with peer(world) as made:
            await behaviour(made)
            await made.ended()
        return await number(world, f"http.edge.{counter}") > before

    await eventually_true(struck)


async def gone(world: World) -> None:
    """Wait until Envoy has no connection from outside but those that the tests just made."""

    async def few() -> bool:
        return await number(world, "http.edge.downstream_cx_active") < 5

    await eventually_true(few)


async def test_those_who_open_no_window_are_let_go(world: World) -> None:
    """Ask for fifty answers on one connection of HTTP/2, and give none of them a byte of room.

    Never more than two such connections: a service takes 1024 requests at a time (`Traffic`), and with more than that
    under way others of the same service get 503 until those time out. Against that only a rate limit helps.
    """

    async def attack() -> None:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(2):
                made = await stack.enter_async_context(peer2(world))
                await made.send(frame(SETTINGS, 0, 0, b"\x00\x04\x00\x00\x00\x00"))
                for stream in range(1, 100, 2):
                    await made.send(frame(HEADERS, END_STREAM | END_HEADERS, stream, fields(b"/big")))

            async def none() -> bool:
                return await number(world, "http.edge.downstream_rq_active") < 5

            await eventually_true(none)

    await unharmed(world, attack)


async def test_those_who_do_not_read_are_let_go(world: World) -> None:
    async def attack() -> None:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(SOCKETS):
                made = await stack.enter_async_context(peer(world, deaf=True))
                await made.send(b"GET /big HTTP/1.1\r\nhost: a\r\n\r\n")
            await gone(world)

    await unharmed(world, attack)
