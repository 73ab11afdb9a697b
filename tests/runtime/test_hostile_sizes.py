"""Sizes that no client needs are answered with 4xx by the service itself, whoever stands before it."""

import gzip
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shoal import Page, PageRequest, Service, System, anyone
from tests.runtime.world import World, running

SMALL = 1000


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Something of each kind that can be large."""

    number: int = 0
    price: Decimal = Decimal(0)
    share: float = 0.0
    rest: Any = None


desk = Service("desk")


@desk.post("/wishes", access=anyone)
async def wish(wish: Wish) -> int:
    return len(str(wish.rest))


@desk.post("/small", access=anyone, largest=SMALL)
async def small(wish: Wish) -> str:
    return "small"


@desk.get("/pages", access=anyone)
async def pages(page: PageRequest, q: str = "", n: int = 0) -> Page[int]:
    return page.of((), 3)


@desk.get("/things/{number}", access=anyone)
async def thing(number: int) -> int:
    return 1


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(System("t", services=[desk]), tmp_path) as started:
        yield started


DEEP = 100_000
BODIES: dict[str, bytes] = {
    "deep lists": b'{"rest":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep objects": b'{"rest":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
    "unfinished depth": b"[" * DEEP,
    "whole number of 100000 digits": b'{"number":' + b"9" * DEEP + b"}",
    "whole number of 30 digits for a float": b'{"share":1e999999999}',
    "decimal of a million zeros": b'{"price":"1e1000000000000000000000"}',
    "compressed": gzip.compress(b'{"number":1}' + b" " * 100_000),
}


@pytest.mark.parametrize("name", BODIES)
async def test_bodies(world: World, name: str) -> None:
    answer = await world.send("POST", "/wishes", {"content-type": "application/json"}, BODIES[name])
    assert 400 <= answer.status < 500, answer.body
    assert (await world.post("/wishes", json={"number": 1})).status == 200


async def test_each_endpoint_has_its_size(world: World) -> None:
    frame = len(b'{"rest":""}')
    for size, status in ((SMALL, 200), (SMALL + 1, 413)):
        body = b'{"rest":"' + b"x" * (size - frame) + b'"}'
        answer = await world.send("POST", "/small", {"content-type": "application/json"}, body)
        assert answer.status == status


@pytest.mark.parametrize(
    "query",
    [
        "&".join(f"a{n}=1" for n in range(10_000)),
        "q=" + "&q=" * 10_000,
        "n=" + "9" * 5000,
        "n=1e400",
        "page=0",
        "page=-1",
        "page=1000000000",
        "page=" + "9" * 100,
        "limit=1000000000",
        "limit=0",
    ],
    ids=lambda query: query[:12],
)
async def test_queries(world: World, query: str) -> None:
    answer = await world.get(f"/pages?{query}")
    assert 400 <= answer.status < 500, answer.body


async def test_a_page_far_behind_the_last_is_empty(world: World) -> None:
    answer = await world.get("/pages?page=1000000")
    assert (answer.status, answer.json()["data"]) == (200, [])


@pytest.mark.parametrize("number", ["9" * 5000, "1" * 100_000, "-", "1_000", "٣"])
async def test_paths(world: World, number: str) -> None:
    assert 400 <= (await world.get(f"/things/{number}")).status < 500
