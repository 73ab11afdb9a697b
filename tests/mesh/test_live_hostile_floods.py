"""Floods of HTTP/2 frames end the connection that sends them, or cost nothing; others are served all the while."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
import pytest_asyncio

from shoal.mesh import hardening
from shoal.mesh.hardening import STREAMS
from shoal.model.system import Gateway, System
from tests.mesh.hostile import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PING,
    PRIORITY,
    RST,
    SETTINGS,
    TIMES,
    WINDOW,
    frame,
    integer,
    literal,
    number,
    peer2,
    request,
    unharmed,
)
from tests.mesh.samples import endpoint, service
from tests.mesh.wire import App, eventually_true
from tests.mesh.world import World, everyone, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

FRAMES = 2000 * TIMES
SHOP = service("shop", endpoint("open", "GET", "/open"), endpoint("write", "POST", "/write"))
SYSTEM = System(name="tiny", services=(SHOP,), gateway=Gateway())

OPENED = frame(HEADERS, END_STREAM | END_HEADERS, 1, request())
POSTED = frame(HEADERS, END_HEADERS, 1, request(b"/write", b"\x83"))
CANCEL = (8).to_bytes(4, "big")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hardening, "LINGER", 0.1)
        async with running(SYSTEM) as started:
            yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def apps(world: World) -> AsyncIterator[dict[str, App]]:
    async with everyone(world) as started:
        yield started


def reset() -> Iterator[bytes]:
    """Ask and take it back at once (CVE-2023-44487)."""
    for n in range(FRAMES):
        stream = 2 * n + 1
        yield frame(HEADERS, END_STREAM | END_HEADERS, stream, request()) + frame(RST, 0, stream, CANCEL)


def continued() -> Iterator[bytes]:
    """Never come to the end of the headers (CVE-2024-27983 and its kin)."""
    yield frame(HEADERS, 0, 1, request())
    for n in range(FRAMES):
        yield frame(CONTINUATION, 0, 1, literal(b"x-%d" % n, b"a" * 100))


def continued_with_nothing() -> Iterator[bytes]:
    """Never come to the end of the headers, without sending any (CVE-2024-30255)."""
    yield frame(HEADERS, 0, 1, request())
    yield from (frame(CONTINUATION, 0, 1) for _ in range(FRAMES))


def empty() -> Iterator[bytes]:
    """Send a body of frames without content (CVE-2019-9518)."""
    yield POSTED
    yield from (frame(DATA, 0, 1) for _ in range(FRAMES))


def priorities() -> Iterator[bytes]:
    """Change one's mind about what is urgent (CVE-2019-9513)."""
    yield from (frame(PRIORITY, 0, 2 * n + 1, b"\x00\x00\x00\x00\x10") for n in range(FRAMES))


def windows() -> Iterator[bytes]:
    """Give room for answers that are not there."""
    yield POSTED
    yield from (frame(WINDOW, 0, 0, (1).to_bytes(4, "big")) for _ in range(FRAMES))


def overflow() -> Iterator[bytes]:
    """Give more room than a number holds."""
    yield from (frame(WINDOW, 0, 0, (2**31 - 1).to_bytes(4, "big")) for _ in range(FRAMES))


def bomb() -> Iterator[bytes]:
    """Name one long header again and again, a byte each time (CVE-2016-1544)."""
    stored = b"\x40" + integer(5, 7) + b"x-big" + integer(4000, 7) + b"a" * 4000
    for n in range(FRAMES // 20):
        block = request() + (stored if n == 0 else b"") + b"\xbe" * 4000
        yield frame(HEADERS, END_STREAM | END_HEADERS, 2 * n + 1, block)


def backwards() -> Iterator[bytes]:
    """Use the numbers of streams in the wrong order."""
    yield frame(HEADERS, END_STREAM | END_HEADERS, 9, request())
    yield from (frame(HEADERS, END_STREAM | END_HEADERS, 2, request()) for _ in range(FRAMES))


def huge() -> Iterator[bytes]:
    """Announce a frame larger than was agreed."""
    yield (2**24 - 1).to_bytes(3, "big") + bytes((DATA, 0)) + (1).to_bytes(4, "big")
    yield from (b"x" * 1000 for _ in range(FRAMES))


ENDED = (reset, continued, continued_with_nothing, empty, priorities, windows, overflow, backwards, huge)


@pytest.mark.parametrize("flood", ENDED)
async def test_the_connection_of_a_flood_is_ended(world: World, flood: Callable[[], Iterator[bytes]]) -> None:
    async def attack() -> None:
        async with peer2(world) as made:
            await made.send_all(flood())
            await made.ended()

    await unharmed(world, attack)


async def test_few_of_the_requests_that_are_taken_back_reach_a_service(world: World, apps: dict[str, App]) -> None:
    before = len(apps["shop"].seen)
    async with peer2(world) as made:
        await made.send_all(reset())
        await made.ended()
    assert len(apps["shop"].seen) - before < 1000
    assert await number(world, "http.edge.downstream_rq_too_many_premature_resets") >= 1


async def test_headers_that_unfold_are_refused_stream_by_stream(world: World, apps: dict[str, App]) -> None:
    before = len(apps["shop"].seen)

    async def attack() -> None:
        async with peer2(world) as made:
            sent = await made.send_all(bomb())

            async def refused() -> bool:
                ended = {stream for kind, stream, _ in made.frames() if kind in (RST, HEADERS) and stream}
                return made.closed.is_set() or len(ended) >= sent

            await eventually_true(refused)

    await unharmed(world, attack)
    assert not [request for request in apps["shop"].seen[before:] if "x-big" in request.headers]


def pings() -> Iterator[bytes]:
    yield from (frame(PING, 0, 0, n.to_bytes(8, "big")) for n in range(FRAMES))


def settings() -> Iterator[bytes]:
    yield from (frame(SETTINGS, 0, 0, b"\x00\x04" + (65535).to_bytes(4, "big")) for _ in range(FRAMES))


@pytest.mark.parametrize(("flood", "kind"), [(pings, PING), (settings, SETTINGS)])
async def test_what_asks_for_answers_is_answered_or_ended(
    world: World, flood: Callable[[], Iterator[bytes]], kind: int
) -> None:
    """A peer that reads what it asked for costs little more than the bytes."""

    async def attack() -> None:
        async with peer2(world) as made:
            sent = await made.send_all(flood())

            async def settled() -> bool:
                answers = [found for found, _, _ in made.frames() if found == kind]
                return made.closed.is_set() or len(answers) >= sent

            await eventually_true(settled)

    await unharmed(world, attack)


async def deaf(world: World, data: bytes) -> None:
    """Ask again and again, and never read an answer, until the edge no longer takes it or has had all."""
    async with peer2(world, deaf=True) as made:
        for _ in range(100 * TIMES):
            made.writer.write(data * 2000)
            try:
                await asyncio.wait_for(made.writer.drain(), 0.5)
            except (OSError, TimeoutError):
                return


@pytest.mark.parametrize(
    "data",
    [frame(PING, 0, 0, b"12345678"), frame(SETTINGS, 0, 0, b"\x00\x04\x00\x00\xff\xff")],
    ids=["ping", "settings"],
)
async def test_answers_that_nobody_reads_do_not_pile_up(world: World, data: bytes) -> None:
    async def attack() -> None:
        await deaf(world, data)

    await unharmed(world, attack)


async def test_no_more_than_the_agreed_streams_are_open(world: World) -> None:
    """Ask three hundred times on one connection without finishing a request: those above the limit are refused."""

    async def attack() -> None:
        async with peer2(world) as made:
            for n in range(300):
                await made.send(frame(HEADERS, END_HEADERS, 2 * n + 1, request(b"/write", b"\x83")))

            async def refused() -> bool:
                kinds = [kind for kind, _, _ in made.frames()]
                return kinds.count(RST) >= 300 - STREAMS or GOAWAY in kinds or made.closed.is_set()

            await eventually_true(refused)
            assert await number(world, "http.edge.downstream_rq_active") <= STREAMS + 5

    await unharmed(world, attack)


async def test_other_streams_of_other_connections_are_served_in_http2_too(world: World) -> None:
    """Ask by HTTP/2 while ten connections flood."""

    async def flood(many: Callable[[], Iterator[bytes]]) -> None:
        async with peer2(world) as made:
            await made.send_all(many())
            await made.ended()

    async def asked() -> None:
        async with peer2(world) as made:
            await made.send(frame(SETTINGS, ACK, 0) + OPENED)

            async def answered() -> bool:
                return any(kind == HEADERS and stream == 1 for kind, stream, _ in made.frames())

            await eventually_true(answered)

    async def attack() -> None:
        everybody: list[Awaitable[None]] = [flood(many) for many in ENDED]
        await asyncio.gather(*everybody, *(asked() for _ in range(20)))

    await unharmed(world, attack)
