"""An object stays if, and only if, the transaction commits that keeps its name; whoever dies on the way."""

import asyncio
import hashlib
from collections.abc import AsyncIterable, AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from shoal import (
    S3,
    Header,
    Objects,
    Postgres,
    Problem,
    Service,
    StoredObject,
    System,
    Transaction,
    UploadTicket,
    anyone,
    event,
    object_kind,
    record,
)
from shoal.drivers.base import Query
from shoal.drivers.base.objects import Stored
from shoal.drivers.memory import MemoryObjects, MemoryStore
from shoal.errors import Unavailable
from shoal.runtime.clock import SystemClock
from shoal.runtime.objects import loose
from shoal.runtime.objects.shelf import Shelf
from shoal.runtime.objects.side import ObjectsSide
from shoal.runtime.transaction import Announcer, UnitOfWork
from shoal.service.objects import object_mark
from shoal.testing import MemorySystem

PNG = "image/png"
DAY = timedelta(days=1, seconds=1)


@object_kind("pictures", largest=10, types=(PNG, "image/jpeg"))
class Picture:
    """Pictures."""


@object_kind("exports", largest=1_000_000)
class Export:
    """Exports."""


@event("gallery.hung", key="title")
class Hung(msgspec.Struct, frozen=True, kw_only=True):
    title: str


@record("frames", key="title")
class Frame(msgspec.Struct, frozen=True, kw_only=True):
    title: str
    picture: str = ""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    size: int
    type: str = PNG


class Done(msgspec.Struct, frozen=True, kw_only=True):
    name: str


gallery = Service("gallery", store=Postgres(), publishes=[Hung], objects=S3(kinds=[Picture, Export]))


@gallery.put("/frames/{title}/text", access=anyone, idempotent=True)
async def paint(
    title: str, text: str, pictures: Objects[Picture], tx: Transaction, type: str = PNG, fail: bool = False
) -> StoredObject:
    stored = await pictures.put(text.encode(), type=type)
    tx.put(Frame(title=title, picture=stored.name))
    tx.publish(Hung(title=title))
    if fail:
        raise Problem(422, "unlucky")
    return stored


@gallery.post("/tickets", access=anyone)
async def offer(said: Offer, pictures: Objects[Picture]) -> UploadTicket:
    return await pictures.ticket(type=said.type, size=said.size)


@gallery.put("/frames/{title}", access=anyone)
async def frame(title: str, done: Done, pictures: Objects[Picture], tx: Transaction, fail: bool = False) -> None:
    stored = await pictures.accept(done.name)
    tx.put(Frame(title=title, picture=stored.name))
    if fail:
        raise Problem(422, "unlucky")


@gallery.get("/frames/{title}", access=anyone)
async def look(title: str, pictures: Objects[Picture], tx: Transaction, download: str = "") -> str:
    return await pictures.url((await tx.require(Frame, title)).picture, download=download)


@gallery.delete("/frames/{title}", access=anyone)
async def take_down(title: str, pictures: Objects[Picture], tx: Transaction) -> None:
    pictures.delete((await tx.require(Frame, title)).picture)
    tx.delete(Frame, title)


@gallery.post("/exports", access=anyone)
async def export(exports: Objects[Export], size: Annotated[int, Header("x-size")] = 3) -> str:
    async def lines() -> AsyncIterator[bytes]:
        for _ in range(size):
            yield b"x" * 1000

    return (await exports.put(lines(), type="text/csv")).name


@gallery.get("/names/{kind}/{name}", access=anyone)
async def known(kind: str, name: str, pictures: Objects[Picture]) -> bool:
    found = await pictures.find(f"{kind}/{name}")
    whole = await pictures.read(f"{kind}/{name}")
    pieces = await pictures.stream(f"{kind}/{name}")
    assert (found is None) == (whole is None) == (pieces is None)
    return found is not None


class Heard(list[str]):
    """What the handler of an event wrote, attempt by attempt."""


heard = Heard()


@gallery.on(Hung, attempts=5, backoff=0.01)
async def print_card(event: Hung, exports: Objects[Export], tx: Transaction) -> None:
    stored = await exports.put(event.title.encode(), type="text/plain")
    heard.append(stored.name)
    if len(heard) == 1:
        raise RuntimeError("the first attempt fails")
    tx.put(Frame(title=f"card of {event.title}", picture=stored.name))


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[MemorySystem]:
    heard.clear()
    system = MemorySystem(System("town", services=[gallery]), tmp_path)
    await system.start()
    yield system
    await system.stop()


def kept(system: MemorySystem) -> MemoryObjects:
    return system.objects("gallery")


async def names(objects: MemoryObjects, prefix: str = "pictures/") -> list[str]:
    return [one.name for one in await objects.list(prefix)]


async def test_what_commits_stays(system: MemorySystem) -> None:
    answer = await system.put("/frames/sea/text?text=blue")
    assert answer.status == 200
    assert (answer.json()["size"], answer.json()["type"]) == (4, PNG)
    assert answer.json()["sha256"] == hashlib.sha256(b"blue").hexdigest()
    system.clock.advance(DAY)
    await system.settle()
    assert await names(kept(system)) == [answer.json()["name"]]


async def test_what_does_not_commit_goes_after_a_day(system: MemorySystem) -> None:
    assert (await system.put("/frames/sea/text?text=blue&fail=true")).status == 422
    assert len(await names(kept(system))) == 1
    system.clock.advance(timedelta(hours=23))
    await system.settle()
    assert len(await names(kept(system))) == 1
    system.clock.advance(timedelta(hours=1, seconds=1))
    await system.settle()
    assert await names(kept(system)) == []


async def test_each_attempt_writes_anew_and_one_stays(system: MemorySystem) -> None:
    await system.put("/frames/sea/text?text=blue")
    await system.settle()
    assert len(heard) == 2
    assert len(await names(kept(system), "exports/")) == 2
    system.clock.advance(DAY)
    await system.settle()
    assert await names(kept(system), "exports/") == [heard[1]]


async def test_a_repeated_command_keeps_one_object(system: MemorySystem) -> None:
    key = {"idempotency-key": "k1"}
    first = await system.put("/frames/sea/text?text=blue", headers=key)
    again = await system.put("/frames/sea/text?text=blue", headers=key)
    assert again.json() == first.json()
    system.clock.advance(DAY)
    await system.settle()
    assert await names(kept(system)) == [first.json()["name"]]


async def test_a_client_brings_an_object_itself(system: MemorySystem) -> None:
    ticket = (await system.post("/tickets", json=Offer(size=4))).json()
    early = await system.put("/frames/sea", json=Done(name=ticket["name"]))
    assert (early.status, early.json()["type"]) == (409, "urn:shoal:problem:nothing-uploaded")
    put = await system.follow(ticket["url"], method="PUT", headers=ticket["headers"], content=b"blue")
    assert put.status == 200
    assert (await system.put("/frames/sea", json=Done(name=ticket["name"]))).status == 204
    system.clock.advance(DAY * 2)
    await system.settle()
    found = await system.follow((await system.get("/frames/sea?download=sea.png")).json())
    assert (found.status, found.body, found.headers["content-type"]) == (200, b"blue", PNG)
    assert "sea.png" in found.headers["content-disposition"]


async def test_what_nobody_accepts_goes(system: MemorySystem) -> None:
    ticket = (await system.post("/tickets", json=Offer(size=4))).json()
    await system.follow(ticket["url"], method="PUT", headers=ticket["headers"], content=b"blue")
    assert (await system.put("/frames/sea?fail=true", json=Done(name=ticket["name"]))).status == 422
    system.clock.advance(DAY + timedelta(minutes=15))
    await system.settle()
    assert await names(kept(system)) == []
    assert (await system.put("/frames/sea", json=Done(name=ticket["name"]))).status == 404


async def test_a_ticket_ends(system: MemorySystem) -> None:
    ticket = (await system.post("/tickets", json=Offer(size=4))).json()
    system.clock.advance(901)
    put = await system.follow(ticket["url"], method="PUT", headers=ticket["headers"], content=b"blue")
    assert (put.status, put.body) == (403, b"the time of this address is over\n")


async def test_a_ticket_is_accepted_once(system: MemorySystem) -> None:
    ticket = (await system.post("/tickets", json=Offer(size=4))).json()
    await system.follow(ticket["url"], method="PUT", headers=ticket["headers"], content=b"blue")
    answers = await asyncio.gather(
        *(system.put(f"/frames/{title}", json=Done(name=ticket["name"])) for title in ("sea", "lake"))
    )
    assert sorted(answer.status for answer in answers) == [204, 404]


@pytest.mark.parametrize(
    ("size", "type", "status"), [(11, PNG, 413), (5, "text/html", 415), (5, "IMAGE/PNG", 415), (10, "image/jpeg", 200)]
)
async def test_limits_hold_for_tickets(system: MemorySystem, size: int, type: str, status: int) -> None:
    answer = await system.post("/tickets", json=Offer(size=size, type=type))
    assert answer.status == status


async def test_limits_hold_for_what_passes_through(system: MemorySystem) -> None:
    assert (await system.put("/frames/a/text?text=12345678901")).status == 413
    assert (await system.put("/frames/a/text?text=1&type=text/html")).status == 415
    assert (await system.post("/exports", headers={"x-size": "1001"})).status == 413
    assert await names(kept(system), "") == []
    assert (await system.post("/exports", headers={"x-size": "1000"})).status == 200


@pytest.mark.parametrize(
    ("content", "type", "refusal"),
    [(b"x" * 11, PNG, "object-too-large"), (b"wide!", PNG, "not-as-agreed"), (b"wide", "image/jpeg", "not-as-agreed")],
)
async def test_what_was_not_agreed_goes(system: MemorySystem, content: bytes, type: str, refusal: str) -> None:
    ticket = (await system.post("/tickets", json=Offer(size=4))).json()
    await kept(system).put(ticket["name"], content, type)  # as where no signature says size and type
    assert (await system.put("/frames/sea", json=Done(name=ticket["name"]))).json()["type"].endswith(f":{refusal}")
    system.clock.advance(2 * DAY)
    await system.settle()
    assert await names(kept(system)) == []


async def test_a_name_of_another_kind_is_unknown(system: MemorySystem) -> None:
    name = (await system.post("/exports")).json()
    assert (await system.put("/frames/sea", json=Done(name=name))).status == 404
    assert (await system.get(f"/names/{name}")).status == 404
    assert (await system.get(f"/names/pictures/{'0' * 32}")).json() is False
    for odd in ("none", "..", f"{'0' * 32}%0a", "A" * 32):
        assert (await system.get(f"/names/pictures/{odd}")).status == 404


async def test_a_deleted_object_lingers_for_urls_that_are_about(system: MemorySystem) -> None:
    name = (await system.put("/frames/sea/text?text=blue")).json()["name"]
    url = (await system.get("/frames/sea")).json()
    assert (await system.delete("/frames/sea")).status == 204
    assert (await system.follow(url)).status == 200
    assert (await system.put("/frames/lake", json=Done(name=name))).status == 404
    system.clock.advance(3601)
    await system.settle()
    assert await names(kept(system)) == []


class Away(MemoryObjects):
    """Removes nothing while it is away."""

    away = True

    async def delete(self, name: str) -> None:
        if self.away:
            raise Unavailable("away")
        await super().delete(name)


async def side_of(store: MemoryStore, objects: MemoryObjects, now: datetime) -> ObjectsSide:
    class At(SystemClock):
        def now(self) -> datetime:
            return now

    return ObjectsSide(store, objects, At(), asyncio.Event())


async def test_an_object_that_cannot_be_removed_is_tried_again() -> None:
    store, objects, now = MemoryStore(), Away(), datetime.now(UTC)
    await loose.begin(store, "a", now)
    await objects.put("a", b"x", PNG)
    assert await (await side_of(store, objects, now)).remove_some() == 1
    objects.away = False
    assert await (await side_of(store, objects, now)).remove_some() == 0
    assert await (await side_of(store, objects, now + loose.AGAIN)).remove_some() == 1
    assert await objects.head("a") is None
    assert not await loose.is_due(store, now + DAY)


async def test_the_tidier_goes_on_whatever_a_driver_raises(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store, objects, now, faults = MemoryStore(), MemoryObjects(), datetime.now(UTC), [OSError("a driver's own error")]
    monkeypatch.setattr("shoal.runtime.objects.side.LOOK", 0.001)
    await loose.begin(store, "a", now)
    await objects.put("a", b"x", PNG)
    session = store.session

    def flaky() -> Any:
        if faults:
            raise faults.pop()
        return session()

    side = await side_of(store, objects, now)
    monkeypatch.setattr(store, "session", flaky)
    side.start()
    try:
        async with asyncio.timeout(10):
            while await objects.head("a") is not None:  # noqa: ASYNC110 - the tidier tells nobody
                await asyncio.sleep(0.001)
    finally:
        await side.stop(0)
    assert "a driver's own error" in caplog.text


async def test_what_is_about_to_go_is_kept_by_nobody() -> None:
    store, now = MemoryStore(), datetime.now(UTC)
    await loose.begin(store, "a", now)
    assert await loose.take_due(store, now) == ["a"]
    with pytest.raises(Problem, match="404"):
        async with store.session() as session:
            await loose.hold(session, "a")


async def test_what_is_being_kept_is_not_removed() -> None:
    store, now = MemoryStore(), datetime.now(UTC)
    await loose.begin(store, "a", now)
    async with store.session() as session:
        loose.keep(session, await loose.hold(session, "a"))
        assert await loose.take_due(store, now) == []
    async with store.session() as session:
        assert await session.find(loose.LOOSE.table, Query()) == []


class Dying(MemoryObjects):
    """Dies while it writes; whoever comes after it finds what is on the list by then."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__()
        self._store, self.listed = store, 0

    async def put(
        self,
        name: str,
        content: bytes | AsyncIterable[bytes],
        type: str,
        *,
        expect: str | None = None,
        sha256: str = "",
    ) -> Stored:
        async with self._store.session() as session:
            self.listed = await session.count(loose.LOOSE.table, {"name": name})
        raise Unavailable("died")


async def test_a_name_is_on_the_list_before_anything_is_written() -> None:
    store = MemoryStore()
    objects = Dying(store)
    shelf = Shelf(object_mark(Export).kind, objects, store, SystemClock(), lambda: None)
    with pytest.raises(Unavailable):
        async with store.session() as session:
            await shelf.within(UnitOfWork(session, Announcer("town", gallery, SystemClock()))).put(b"x", type=PNG)
    assert objects.listed == 1
    assert await loose.is_due(store, datetime.now(UTC) + DAY)
