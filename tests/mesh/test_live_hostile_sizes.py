"""Sizes that nobody needs are refused early, in little memory, and others do not notice."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from msgspec.structs import replace

from shoal.model.edge import LARGEST, Edge
from shoal.model.system import Gateway, System
from tests.mesh.hostile import TIMES, Peer, peer, unharmed
from tests.mesh.samples import endpoint, service
from tests.mesh.wire import eventually_true
from tests.mesh.world import World, everyone, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

SMALL = 10_000
SHOP = service(
    "shop",
    endpoint("open", "GET", "/open"),
    endpoint("write", "POST", "/write"),
    replace(endpoint("login", "POST", "/login"), edge=Edge(largest=SMALL)),
)
SYSTEM = System(name="tiny", services=(SHOP,), gateway=Gateway())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with running(SYSTEM) as started, everyone(started):
        yield started


def post(path: str, *fields: str) -> bytes:
    return "\r\n".join((f"POST {path} HTTP/1.1", "host: a", *fields, "", "")).encode()


def chunks(total: int) -> Iterator[bytes]:
    part = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    return (part for _ in range(total // 65536))


async def status_of(made: Peer) -> int:
    """Wait for the answer or the end."""

    async def said() -> bool:
        return b"\r\n" in made.got or made.closed.is_set()

    await eventually_true(said)
    return int(made.got.split(b" ", 2)[1]) if made.got else 0


GIGABYTE = 1024**3


async def test_a_gigabyte_in_chunks_is_refused_after_the_limit(world: World) -> None:
    async def attack() -> None:
        for path, limit in (("/write", LARGEST), ("/login", SMALL)):
            async with peer(world) as made:
                await made.send(post(path, "transfer-encoding: chunked"))
                sent = await made.send_all(chunks(GIGABYTE))
                assert await status_of(made) == 413
                assert sent * 65536 < limit + 32 * 1024 * 1024, "what the machine holds between the two"

    await unharmed(world, attack)


async def test_many_large_bodies_at_once_cost_no_more_than_the_limit_each(world: World) -> None:
    async def one() -> None:
        async with peer(world) as made:
            await made.send(post("/write", "transfer-encoding: chunked"))
            await made.send_all(chunks(64 * 1024 * 1024))
            assert await status_of(made) == 413

    async def attack() -> None:
        for _ in range(TIMES):
            await asyncio.gather(*(one() for _ in range(10)))

    await unharmed(world, attack)


def lines(*fields: str) -> bytes:
    return "\r\n".join(("GET /open HTTP/1.1", "host: a", *fields, "", "")).encode()


OVERSIZED = {
    "10000 headers": (lines(*(f"x-{n}: {n}" for n in range(10_000))), 431),
    "101 headers": (lines(*(f"x-{n}: {n}" for n in range(101))), 431),
    "header of 64 KiB": (lines("x-a: " + "a" * 65536), 431),
    "name of 64 KiB": (lines("a" * 65536 + ": a"), 431),
    "path of 64 KiB": (b"GET /" + b"a" * 65536 + b" HTTP/1.1\r\nhost: a\r\n\r\n", 431),
    "10000 parameters": (b"GET /open?" + b"a=1&" * 10_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n", 431),
    "line without an end": (b"GET /open HTTP/1.1\r\nx-a: " + b"a" * 1024 * 1024, 431),
    "chunk of more than a number": (post("/write", "transfer-encoding: chunked") + b"F" * 40 + b"\r\nx", 400),
    "10000 trailers": (
        post("/write", "transfer-encoding: chunked")
        + b"0\r\n"
        + b"".join(b"x-%d: 1\r\n" % n for n in range(10_000))
        + b"\r\n",
        431,
    ),
    "length that is no number": (post("/write", "content-length: 99999999999999999999"), 400),
}


@pytest.mark.parametrize("name", OVERSIZED)
async def test_oversized_parts_are_refused(world: World, name: str) -> None:
    sent, status = OVERSIZED[name]
    async with peer(world) as made:
        await made.send_all(sent[i : i + 16384] for i in range(0, len(sent), 16384))
        found = await status_of(made)
    assert found == status, bytes(made.got[:500])
    assert (await world.edge("GET /open")).status == 200


async def test_a_hundred_headers_and_the_limit_of_a_body_still_pass(world: World) -> None:
    fields = {f"x-{n}": "1" for n in range(80)}
    assert (await world.edge("POST /write", headers=fields, body=b"x" * LARGEST)).json["size"] == LARGEST
