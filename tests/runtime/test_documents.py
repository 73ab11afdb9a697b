"""`Documents` in handlers: versions, pages by declared indexes, expiry, and what is refused when it is declared."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, cast
from urllib.parse import quote

import msgspec
import pytest
import pytest_asyncio

from shoal import (
    Clock,
    Document,
    Documents,
    Found,
    Header,
    MongoDB,
    Postgres,
    Reply,
    Service,
    System,
    Transaction,
    anyone,
    event,
    record,
)
from shoal.drivers.base import Query, Session
from shoal.drivers.base.documents.engine import Document as Kept
from shoal.errors import DeclarationError
from shoal.runtime.documents import StoredDocuments
from shoal.runtime.tables import table_of
from shoal.runtime.transaction import Announcer, UnitOfWork
from shoal.service.describe import describe
from shoal.testing import MovableClock
from tests.runtime.world import World, running


@event("shelf.filled", key="sku")
class Filled(msgspec.Struct, frozen=True, kw_only=True):
    sku: str


@record("things", key="sku", unique=["label"], indexes=[("kind", "price"), "made"], expires="until")
class Thing(msgspec.Struct, frozen=True, kw_only=True):
    sku: str
    kind: str = "tool"
    price: int = 1
    label: str | None = None
    made: dt.datetime = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    until: dt.datetime | None = None


shelf = Service("shelf", store=MongoDB(why="parts of every shape"), publishes=[Filled])


@shelf.get("/things/{sku}", access=anyone)
async def look(sku: str, things: Documents[Thing]) -> Reply[Thing]:
    found = await things.require(sku)
    return Reply(body=found.value, headers={"ETag": found.version})


@shelf.put("/things/{sku}", access=anyone)
async def replace(
    sku: str, thing: Thing, things: Documents[Thing], tx: Transaction, if_match: Annotated[str, Header("If-Match")] = ""
) -> None:
    tx.publish(Filled(sku=sku))
    things.put(msgspec.structs.replace(thing, sku=sku), expect=if_match or None)


@shelf.post("/things", access=anyone)
async def fill(added: list[Thing], things: Documents[Thing]) -> None:
    things.put_many(added)


@shelf.post("/new-things", access=anyone)
async def insert(thing: Thing, things: Documents[Thing]) -> None:
    things.insert(thing)


@shelf.delete("/things/{sku}", access=anyone)
async def remove(sku: str, things: Documents[Thing], if_match: Annotated[str, Header("If-Match")] = "") -> None:
    things.delete(sku, expect=if_match or None)


@shelf.get("/many", access=anyone)
async def many(sku: list[str], things: Documents[Thing]) -> dict[str, Thing]:
    return {key: found.value for key, found in (await things.get_many(sku)).items()}


@shelf.get("/kinds/{kind}", access=anyone)
async def by_kind(
    kind: str, things: Documents[Thing], order: str = "", after: str = "", limit: int = 2
) -> Found[Thing]:
    return await things.find({"kind": kind}, order=order, after=after, limit=limit)


@shelf.get("/all", access=anyone)
async def everything(things: Documents[Thing], order: str = "", after: str = "") -> Found[Thing]:
    return await things.find(order=order, after=after, limit=3)


@shelf.get("/labels/{label}", access=anyone)
async def labelled(label: str, things: Documents[Thing]) -> Found[Thing]:
    return await things.find({"label": label})


@shelf.get("/prices/{price}", access=anyone)
async def priced(price: int, things: Documents[Thing]) -> Found[Thing]:
    return await things.find({"price": price})


@shelf.get("/twice/{sku}", access=anyone)
async def twice(sku: str, things: Documents[Thing]) -> list[str]:
    """Change what was read, read it again, and change that."""
    found = await things.require(sku)
    things.put(msgspec.structs.replace(found.value, price=7), expect=found.version)
    again: Document[Thing] = await things.require(sku)
    things.put(msgspec.structs.replace(again.value, price=again.value.price + 1), expect=again.version)
    return [found.version, again.version]


@shelf.put("/strict/{sku}", access=anyone)
async def strictly(sku: str, things: Documents[Thing], if_match: Annotated[str, Header("If-Match")]) -> None:
    """Hand on what the caller sends."""
    things.put(Thing(sku=sku, price=99), expect=if_match)


@shelf.delete("/strict/{sku}", access=anyone)
async def strictly_gone(sku: str, things: Documents[Thing], if_match: Annotated[str, Header("If-Match")]) -> None:
    things.delete(sku, expect=if_match)


@shelf.post("/fresh/{sku}", access=anyone)
async def fresh(sku: str, things: Documents[Thing]) -> None:
    """Change what this very transaction wrote first."""
    things.insert(Thing(sku=sku))
    found = await things.require(sku)
    things.put(Thing(sku=sku, price=5), expect=found.version)


DEPOT = System("depot", services=[shelf])


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(DEPOT, tmp_path) as world:
        yield world


async def filled(world: World, *things: Thing) -> None:
    assert (await world.post("/things", json=[msgspec.to_builtins(one) for one in things])).status == 204


async def pages(world: World, path: str) -> list[list[str]]:
    """Read page after page."""
    found, after = [], ""
    while True:
        answer = await world.get(f"{path}{'&' if '?' in path else '?'}after={after}")
        assert answer.status == 200, answer.body
        found.append([one["sku"] for one in answer.json()["items"]])
        after = answer.json()["next"]
        if not after:
            return found


async def test_a_change_holds_for_the_version_that_was_read(world: World) -> None:
    await filled(world, Thing(sku="saw"))
    old = (await world.get("/things/saw")).headers["etag"]
    put = {"sku": "saw", "price": 2}
    assert (await world.put("/things/saw", json=put, headers={"If-Match": old})).status == 204
    late = await world.put("/things/saw", json={**put, "price": 3}, headers={"If-Match": old})
    assert (late.status, late.json()["type"].rpartition(":")[2]) == (409, "conflict")
    assert (await world.get("/things/saw")).json()["price"] == 2
    assert len(await world.stores["shelf"].announced(0, 9)) == 1


async def test_removal_too(world: World) -> None:
    await filled(world, Thing(sku="saw"))
    version = (await world.get("/things/saw")).headers["etag"]
    await filled(world, Thing(sku="saw", price=9))
    assert (await world.delete("/things/saw", headers={"If-Match": version})).status == 409
    assert (await world.get("/things/saw")).status == 200
    version = (await world.get("/things/saw")).headers["etag"]
    assert (await world.delete("/things/saw", headers={"If-Match": version})).status == 204
    assert (await world.get("/things/saw")).status == 404


async def test_a_handler_goes_on_with_what_it_wrote(world: World) -> None:
    await filled(world, Thing(sku="saw"))
    assert (await world.get("/twice/saw")).status == 200
    assert (await world.get("/things/saw")).json()["price"] == 8


async def test_new_ones_and_unique_fields(world: World) -> None:
    assert (await world.post("/new-things", json={"sku": "saw", "label": "A"})).status == 204
    assert (await world.post("/new-things", json={"sku": "saw"})).status == 409
    assert (await world.post("/new-things", json={"sku": "axe", "label": "A"})).status == 409
    found = (await world.get("/labels/A")).json()
    assert [one["sku"] for one in found["items"]] == ["saw"]


async def test_many_by_key(world: World) -> None:
    await filled(world, Thing(sku="a"), Thing(sku="b"))
    assert sorted((await world.get("/many?sku=b&sku=nothing&sku=a&sku=b")).json()) == ["a", "b"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/kinds/tool", [["a", "b"], ["c", "d"], ["e"]]),
        ("/kinds/tool?limit=5", [["a", "b", "c", "d", "e"]]),
        ("/kinds/tool?order=price", [["c", "a"], ["b", "e"], ["d"]]),
        ("/kinds/tool?order=-price", [["d", "a"], ["b", "e"], ["c"]]),
        ("/kinds/none", [[]]),
        ("/all", [["a", "b", "c"], ["d", "e", "x"]]),
        ("/all?order=made", [["x", "a", "b"], ["c", "d", "e"]]),
        ("/all?order=-made", [["a", "b", "c"], ["d", "e", "x"]]),
    ],
)
async def test_pages(world: World, path: str, expected: list[list[str]]) -> None:
    prices = {"a": 2, "b": 2, "c": 1, "d": 3, "e": 2}
    early = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    await filled(world, *(Thing(sku=sku, price=price) for sku, price in prices.items()))
    await filled(world, Thing(sku="x", kind="toy", made=early))
    assert await pages(world, path) == expected


@pytest.mark.parametrize("more", ["", "g"])
@pytest.mark.parametrize(("order", "expected"), [("label", "dbacef"), ("-label", "cefabd")])
async def test_pages_by_a_field_that_some_lack(world: World, order: str, expected: str, more: str) -> None:
    labels = {"a": "3", "b": "2", "c": None, "d": "1", "e": None, "f": None}
    await filled(world, *(Thing(sku=sku, label=label) for sku, label in labels.items()))
    await filled(world, *(Thing(sku=sku) for sku in more))
    found = [sku for page in await pages(world, f"/all?order={order}") for sku in page]
    assert "".join(found) == expected.replace("f", f"f{more}")


async def test_a_page_begins_behind_the_last_one_whatever_is_written_meanwhile(world: World) -> None:
    await filled(world, *(Thing(sku=sku, price=2) for sku in "bdf"))
    first = (await world.get("/kinds/tool?order=price")).json()
    await filled(world, Thing(sku="a", price=2), Thing(sku="c", price=1), Thing(sku="e", price=2), Thing(sku="g"))
    await world.delete("/things/d")
    rest = (await world.get(f"/kinds/tool?order=price&after={first['next']}")).json()
    assert [one["sku"] for one in (*first["items"], *rest["items"])] == ["b", "d", "e", "f"]


@pytest.mark.parametrize("after", ["x", "!!!", "bnVsbA", "W10", "WzEsMiwzXQ", "WyJhIiwiYiJd", "ä"])
async def test_a_page_that_does_not_exist(world: World, after: str) -> None:
    await filled(world, Thing(sku="a"))
    assert (await world.get(f"/kinds/tool?order=price&after={quote(after)}")).status == 400


async def test_what_no_index_serves_is_said(world: World, caplog: pytest.LogCaptureFixture) -> None:
    assert (await world.get("/prices/1")).status == 500
    assert "searched by price, for which it declares no index" in caplog.text
    assert "indexes=[('price',)]" in caplog.text


async def test_what_has_expired_is_not_there_and_goes(world: World) -> None:
    soon = world.clock.now() + dt.timedelta(minutes=5)
    await filled(world, Thing(sku="milk", until=soon, label="M"), Thing(sku="saw"))
    assert (await world.get("/things/milk")).status == 200
    world.clock.advance(301)
    assert (await world.get("/things/milk")).status == 404
    assert await pages(world, "/all") == [["saw"]]
    assert (await world.get("/many?sku=milk")).json() == {}


def odd_documents() -> Service:
    class Plain(msgspec.Struct):
        sku: str

    service = Service("odd", store=MongoDB())

    @service.get("/a", access=anyone)
    async def a(things: Documents[Plain]) -> None: ...

    return service


def relational() -> Service:
    service = Service("rows", store=Postgres())

    @service.get("/a", access=anyone)
    async def a(things: Documents[Thing]) -> None: ...

    return service


@pytest.mark.parametrize(("make", "words"), [(odd_documents, "no record"), (relational, "(?s)keeps none.*MongoDB")])
def test_refused_when_declared(make: object, words: str) -> None:
    assert callable(make)
    with pytest.raises(DeclarationError, match=words) as caught:
        describe(System("depot", services=[make()]))
    assert "test_documents.py" in str(caught.value)


def test_a_field_that_is_none_is_refused() -> None:
    with pytest.raises(DeclarationError, match="indexed by 'colour'"):
        record("things", key="sku", indexes=[("kind", "colour")])(Thing)


async def test_expired_records_are_removed(tmp_path: Path) -> None:
    world = World(DEPOT, tmp_path, {})
    mapping, now = table_of(Thing), world.clock.now()
    ends = [now - dt.timedelta(days=1)] * 250 + [now + dt.timedelta(days=1), None]
    async with world.stores["shelf"].session() as session:
        for number, until in enumerate(ends):
            session.put(mapping.table, mapping.to_row(Thing(sku=str(number), until=until)))
    await world.declare()
    await world.hosts["shelf"].start()
    try:
        async with asyncio.timeout(20):
            while len(left := await keys(world)) > 2:  # noqa: ASYNC110 - nothing says when a side has worked
                await asyncio.sleep(0.01)
        assert left == ["250", "251"]
    finally:
        await world.hosts["shelf"].stop()


async def keys(world: World) -> list[object]:
    async with world.stores["shelf"].session() as session:
        return [row["sku"] for row in await session.find(table_of(Thing).table, Query())]


async def test_an_empty_version_is_that_of_nobody_else(world: World) -> None:
    await filled(world, Thing(sku="saw"))
    assert (await world.put("/strict/saw", headers={"If-Match": ""})).status == 409
    assert (await world.delete("/strict/saw", headers={"If-Match": ""})).status == 409
    assert (await world.get("/things/saw")).json()["price"] == 1
    assert (await world.post("/fresh/axe")).status == 204
    assert (await world.get("/things/axe")).json()["price"] == 5


@record("slots", key="at")
class Slot(msgspec.Struct, frozen=True, kw_only=True):
    at: dt.datetime


class Normal:
    """A session whose engine gives times back in UTC, as all but the reference do."""

    def __init__(self, at: dt.datetime) -> None:
        self.at = at

    async def read(self, *_: object) -> list[Kept]:
        return [Kept(key=self.at, version="1", row={"at": self.at})]

    async def execute(self, *_: object) -> None: ...

    def put_at(self, *_: object) -> None: ...

    def delete_at(self, *_: object) -> None: ...

    def raw(self, *_: object) -> None: ...


async def test_a_time_is_one_key_in_every_zone() -> None:
    at = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
    elsewhere = at.astimezone(dt.timezone(dt.timedelta(hours=5)))
    clock = cast("Clock", MovableClock())
    unit = UnitOfWork(cast("Session", Normal(at)), Announcer("depot", shelf, clock))
    found = await StoredDocuments(table_of(Slot), clock, unit).get(elsewhere)
    assert found is not None
    assert found.value.at == at
