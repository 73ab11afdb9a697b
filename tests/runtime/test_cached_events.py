"""Kept results in a running service: ended by events, and declared in ways that can be meant."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shoal import Postgres, Problem, Service, ShortLived, System, Transaction, Valkey, anyone, event, record
from shoal.drivers import open_cache
from shoal.drivers.memory import MemoryStore
from shoal.errors import DeclarationError
from shoal.runtime.cache.side import ForgettingSide
from shoal.runtime.config import ServiceConfig
from shoal.runtime.consuming.rehearsal import rehearse
from shoal.runtime.envelope import pack
from shoal.service.describe import describe_service
from shoal.service.marks import event_mark
from shoal.testing import MemorySystem


class Price(msgspec.Struct):
    sku: str
    cents: int


@event("stock.counted", key="sku")
class Counted(msgspec.Struct, frozen=True):
    sku: str
    pieces: int


@record("pieces", key="sku")
class Pieces(msgspec.Struct, frozen=True):
    sku: str
    pieces: int


stock = Service("stock", store=Postgres(), publishes=[Counted])
shelf = Service("shelf", store=Postgres(), cache=Valkey())
window = Service("window", store=Postgres(), cache=Valkey())
visits = Service("visits", store=Postgres(), cache=Valkey())
deaf, bare = Service("deaf", cache=Valkey()), Service("bare")
looked: list[str] = []


@stock.post("/counts/{sku}/{pieces}", access=anyone)
async def count(sku: str, pieces: int, tx: Transaction) -> None:
    tx.publish(Counted(sku, pieces))


@shelf.on(Counted)
async def counted(event: Counted, tx: Transaction) -> None:
    tx.put(Pieces(event.sku, event.pieces))


@shelf.cached(ttl=600, key="sku", until=[Counted])
async def pieces_of(sku: str, tx: Transaction) -> int:
    looked.append(sku)
    found = await tx.get(Pieces, sku)
    return found.pieces if found else 0


@shelf.get("/shelf/{sku}", access=anyone)
async def show(sku: str, tx: Transaction) -> int:
    return await pieces_of(sku, tx)


@shelf.put("/shelf/{sku}/{pieces}", access=anyone)
async def guess(sku: str, pieces: int, tx: Transaction) -> int:
    tx.put(Pieces(sku, pieces))
    found = await pieces_of(sku, tx)
    raise Problem(409, "guessed", f"{found} pieces were only a guess")


@window.cached(ttl=600, until=[Counted])
async def seen_of(sku: str) -> int:
    looked.append(f"window {sku}")
    return len(looked)


@window.get("/window/{sku}", access=anyone)
async def look(sku: str) -> int:
    return await seen_of(sku)


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[MemorySystem]:
    looked.clear()
    system = MemorySystem(System("shop", services=[stock, shelf, window]), tmp_path)
    await system.start()
    yield system
    await system.stop()


async def test_an_event_ends_the_result_of_its_key_and_no_other(system: MemorySystem) -> None:
    for sku, pieces in (("a", 1), ("b", 2)):
        assert (await system.post(f"/counts/{sku}/{pieces}")).status == 204
    await system.settle()

    async def shown(sku: str) -> Any:
        return (await system.get(f"/shelf/{sku}")).json()

    assert [await shown(sku) for sku in ("a", "a", "b")] == [1, 1, 2]
    assert looked == ["a", "b"]
    await system.post("/counts/a/7")
    await system.settle()
    assert [await shown(sku) for sku in ("a", "a", "b")] == [7, 7, 2]
    assert looked == ["a", "b", "a"]


async def test_what_is_rolled_back_is_not_kept(system: MemorySystem) -> None:
    refused = await system.put("/shelf/a/7")
    assert (refused.status, refused.json()["detail"]) == (409, "7 pieces were only a guess"), "it sees its own writes"
    assert (await system.get("/shelf/a")).json() == 0
    await system.put("/shelf/a/7")
    assert (await system.get("/shelf/a")).json() == 0
    assert looked == ["a", "a", "a"], "what the others made stays"


async def test_what_is_made_between_handler_and_commit_does_not_stay(
    system: MemorySystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    await system.post("/counts/a/1")
    await system.settle()
    forget, between = ForgettingSide.forget, list[Any]()

    async def forget_and_look(side: ForgettingSide, keys: list[str]) -> None:
        await forget(side, keys)
        between.append((await system.get("/shelf/a")).json())

    monkeypatch.setattr(ForgettingSide, "forget", forget_and_look)
    await system.post("/counts/a/7")
    await system.settle()
    assert between[0] == 1, "what was read before the commit"
    assert (await system.get("/shelf/a")).json() == 7


async def test_an_event_that_nothing_else_hears_ends_results_too(system: MemorySystem) -> None:
    first = (await system.get("/window/a")).json()
    assert (await system.get("/window/a")).json() == first
    await system.post("/counts/a/7")
    await system.settle()
    assert (await system.get("/window/a")).json() != first


@visits.on(Counted)
async def count_visits(event: Counted, kept: ShortLived) -> None:
    await kept.count("counted", ttl=60)


async def test_a_dry_run_touches_no_cache() -> None:
    config = ServiceConfig(system="shop", entry="", cache_url="memory://dry")
    message = pack("shop", "stock", event_mark(Counted), Counted("a", 1), now=datetime.now(UTC), trace=None)
    found = await rehearse(visits, config, MemoryStore(), message)
    assert "ShortLived" in found.withheld
    assert await open_cache("memory://dry").get(["+counted"]) == [None]


def test_impossible_declarations_are_refused_with_their_place() -> None:
    service = Service("odd", cache=Valkey(), store=Postgres())

    def plain(sku: str) -> int:
        return 0

    async def silent(sku: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - what is refused
        return 0

    async def bound(sku: str, tx: Transaction) -> int:
        return 0

    for options, function, said in (
        ({"ttl": 0}, bound, "ttl=0"),
        ({"ttl": 1, "stale": -1}, bound, "stale=-1"),
        ({"ttl": 1}, plain, "not asynchronous"),
        ({"ttl": 1}, silent, "does not say what it returns"),
        ({"ttl": 1}, bound, "told apart by 'tx'[\\s\\S]*key=\"sku\""),
        ({"ttl": 1, "key": "id"}, bound, "no parameter 'id'"),
        ({"ttl": 1, "key": ("sku", "tx"), "until": [Counted]}, bound, "sku and tx, which no event's key is"),
        ({"ttl": 1, "key": "sku", "until": [Price]}, bound, "Price is not an event"),
    ):
        with pytest.raises(DeclarationError, match=said) as refused:
            service.cached(**options)(function)  # type: ignore[arg-type]
        assert refused.value.where.startswith("tests/runtime/test_cached_events.py")
    service.cached(ttl=1, key="sku")(bound)
    with pytest.raises(DeclarationError, match="two functions called bound"):
        service.cached(ttl=1, key="sku")(bound)


def test_events_need_a_store_and_results_a_cache() -> None:
    @deaf.cached(ttl=1, until=[Counted])
    async def heard(sku: str) -> int:
        return 0

    @bare.cached(ttl=1)
    async def kept(sku: str) -> int:
        return 0

    with pytest.raises(DeclarationError, match="no store to hear it with"):
        describe_service(deaf)
    with pytest.raises(DeclarationError, match=r"@bare\.cached needs a cache"):
        describe_service(bare)
