"""Connections that grow old are ended without losing a request, and those whose peer is dead are closed.

The times are shortened here; `test_hardening` says what they are.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shoal.mesh import hardening
from shoal.model.system import Gateway, System
from tests.mesh.hostile import (
    ACK,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PING,
    Peer,
    frame,
    number,
    peer,
    peer2,
    request,
)
from tests.mesh.samples import endpoint, service
from tests.mesh.wire import eventually_true
from tests.mesh.world import World, everyone, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

SYSTEM = System(name="tiny", services=(service("shop", endpoint("open", "GET", "/open")),), gateway=Gateway())
OK = b"\x88"
"""Status 200 as HTTP/2 says it (RFC 7541, appendix A)."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        for name, time in (("AGE", 1.0), ("PING_EVERY", 0.2), ("PONG_WITHIN", 1.5), ("LINGER", 0.1)):
            patch.setattr(hardening, name, time)
        async with running(SYSTEM) as started, everyone(started):
            yield started


async def test_old_connections_end_without_losing_a_request_and_dead_ones_are_closed(world: World) -> None:
    await asyncio.gather(_last_answer_says_so(world), _told_to_go(world), _silent(world), _answering(world))
    assert await number(world, "http.edge.downstream_cx_max_duration_reached") >= 2
    assert await number(world, "http2.keepalive_timeout")


async def _last_answer_says_so(world: World) -> None:
    async with peer(world) as made:

        async def told() -> bool:
            made.got.clear()
            await made.send(b"GET /open HTTP/1.1\r\nhost: a\r\n\r\n")
            await eventually_true(lambda: whole(made))
            assert made.got.startswith(b"HTTP/1.1 200"), "every request is answered, the last one too"
            return b"\r\nconnection: close\r\n" in made.got

        await eventually_true(told)
        await made.ended()


async def whole(made: Peer) -> bool:
    assert not made.closed.is_set() or made.got.endswith(b"}"), "ended without an answer"
    return made.got.endswith(b"}")


async def _told_to_go(world: World) -> None:
    async with peer2(world) as made:
        await seen(made, GOAWAY)
        await made.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, request()))
        assert (await seen(made, HEADERS))[0].startswith(OK), "what was on its way is answered"


async def seen(made: Peer, kind: int, count: int = 1) -> list[bytes]:
    """Wait for so many frames of a kind, answering pings; return what they hold."""
    answered = 0

    async def enough() -> bool:
        nonlocal answered
        assert not made.closed.is_set(), f"ended before frame {kind}: {made.frames()}"
        pings = [payload for one, _, payload in made.frames() if one == PING]
        for payload in pings[answered:]:
            await made.send(frame(PING, ACK, 0, payload))
        answered = len(pings)
        return len([one for one, _, _ in made.frames() if one == kind]) >= count

    await eventually_true(enough)
    return [payload for one, _, payload in made.frames() if one == kind]


async def _silent(world: World) -> None:
    async with peer2(world) as made:
        await made.ended()
        assert any(kind == PING for kind, _, _ in made.frames())


async def _answering(world: World) -> None:
    async with peer2(world) as made:
        await seen(made, PING, count=4)  # each comes only when the one before was answered
        await made.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, request()))
        assert (await seen(made, HEADERS))[0].startswith(OK)
