"""Kept answers: for whom, for how long, and how events end them in every replica."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from shoal import (
    Cache,
    Header,
    Issuer,
    Postgres,
    Principal,
    Problem,
    Service,
    System,
    TokenIssuer,
    Transaction,
    anyone,
    event,
    record,
    signed_in,
)
from shoal.errors import DeclarationError
from shoal.model.caching import Cache as CacheModel
from shoal.runtime.answers import ends
from shoal.runtime.answers.kept import LARGEST, Answers
from shoal.runtime.deadline import Budget
from shoal.runtime.request import Request, Response
from shoal.runtime.trace import Context, begin
from shoal.service.describe import describe_service
from shoal.testing import MemorySystem


@event("stock.counted", key="sku")
class Counted(msgspec.Struct, frozen=True):
    sku: str
    pieces: int


@record("pieces", key="sku")
class Pieces(msgspec.Struct, frozen=True):
    sku: str
    pieces: int


stock = Service("stock", store=Postgres(), publishes=[Counted])
shelf = Service("shelf", store=Postgres())
calls: list[str] = []


@stock.post("/counts/{sku}/{pieces}", access=anyone)
async def count(sku: str, pieces: int, tx: Transaction) -> None:
    tx.publish(Counted(sku, pieces))


@stock.post("/token", access=anyone)
async def token(issuer: TokenIssuer) -> str:
    return issuer.issue("x")


@shelf.on(Counted)
async def counted(event: Counted, tx: Transaction) -> None:
    tx.put(Pieces(event.sku, event.pieces))


@shelf.get("/shelf/{sku}", access=anyone, cache=Cache(600, shared=True, invalidated_by=[Counted]))
async def show(sku: str, tx: Transaction) -> int:
    calls.append(sku)
    found = await tx.get(Pieces, sku)
    if found is None:
        raise Problem(404, "not-found")
    return found.pieces


@shelf.get("/hours", access=anyone, cache=Cache(60, shared=True, vary=["Accept-Language"]))
async def hours(device: Annotated[str, Header("X-Device")] = "") -> str:
    calls.append("hours")
    return f"always {device}"


@shelf.get("/mine", access=signed_in, cache=Cache(60))
async def mine(principal: Principal) -> str:
    calls.append(principal.subject)
    return principal.subject


SYSTEM = System("store", services=[stock, shelf], issuer=Issuer(stock, audience="store"))


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MemorySystem]:
    monkeypatch.setattr(ends, "LOOK", 0.0)
    calls.clear()
    started = MemorySystem(SYSTEM, tmp_path)
    await started.start()
    yield started
    await started.stop()


async def test_an_answer_is_made_once_and_named(running: MemorySystem) -> None:
    first, second = [await running.get("/hours") for _ in range(2)]
    assert calls == ["hours"]
    assert (first.body, first.headers["etag"]) == (second.body, second.headers["etag"])
    assert first.headers["etag"].startswith('"')
    assert second.headers["cache-control"] == "public, max-age=60"
    assert (first.headers["cache-status"], second.headers["cache-status"]) == ("shoal; fwd=miss", "shoal; hit")
    assert second.headers["vary"] == "x-device, accept-language"


async def test_who_has_it_already_is_told_so(running: MemorySystem) -> None:
    etag = (await running.get("/hours")).headers["etag"]
    for said in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = await running.get("/hours", headers={"If-None-Match": said})
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", etag)
        assert "content-length" not in answer.headers
    assert (await running.get("/hours", headers={"If-None-Match": '"other"'})).status == 200


@pytest.mark.parametrize("headers", [{"Accept-Language": "de"}, {"X-Device": "phone"}])
async def test_answers_are_told_apart_by_what_they_depend_on(running: MemorySystem, headers: dict[str, str]) -> None:
    await running.get("/hours")
    await running.get("/hours", headers=headers)
    await running.get("/hours?page=2", headers=headers)
    assert calls == ["hours"] * 3


async def test_each_principal_has_an_answer_of_its_own(running: MemorySystem) -> None:
    ada, bob = running.token("ada"), running.token("bob")
    assert [(await running.get("/mine", token=who)).json() for who in (ada, bob, ada, bob)] == ["ada", "bob"] * 2
    assert calls == ["ada", "bob"]
    running.clock.advance(1)
    again = await running.get("/mine", token=running.token("ada"))
    assert (again.json(), again.headers["cache-control"]) == ("ada", "private, max-age=60")
    assert "authorization" in again.headers["vary"]
    assert calls == ["ada", "bob"], "another token of the same principal"
    assert (await running.get("/mine")).status == 401
    assert (await running.get("/mine", token=running.token("ada", role="admin"))).json() == "ada"
    assert calls == ["ada", "bob", "ada"], "with other claims it is told apart"


async def test_an_event_ends_every_answer(running: MemorySystem) -> None:
    await running.post("/counts/a/5")
    await running.settle()
    answer = await running.get("/shelf/a")
    assert (answer.json(), answer.headers["cache-control"]) == (5, "public, no-cache")
    assert (await running.get("/shelf/a")).json() == 5
    assert calls == ["a"]
    await running.post("/counts/a/4")
    await running.settle()
    answer = await running.get("/shelf/a", headers={"If-None-Match": answer.headers["etag"]})
    assert (answer.status, answer.json()) == (200, 4)


async def test_failures_are_not_kept(running: MemorySystem) -> None:
    assert [(await running.get("/shelf/none")).status for _ in range(2)] == [404, 404]
    assert calls == ["none", "none"]


async def test_an_event_ends_answers_of_other_replicas_too(running: MemorySystem) -> None:
    store = running._hosts["shelf"].store
    assert store is not None
    edge = next(e.operation.edge for e in shelf.endpoints if e.operation.name == "show")
    assert edge.cache is not None
    other = Answers(edge.cache, ends.Ends(store), ())
    made: list[int] = []

    async def make() -> Response:
        made.append(1)
        return Response(200, [], b"%d" % len(made))

    assert (await other.through(_request("/shelf/a"), make)).body == b"1"
    assert (await other.through(_request("/shelf/a"), make)).body == b"1"
    await running.post("/counts/b/1")
    await running.settle()
    assert (await other.through(_request("/shelf/a"), make)).body == b"2"


async def test_what_an_event_ends_while_it_is_made_is_not_served_again(running: MemorySystem) -> None:
    store = running._hosts["shelf"].store
    assert store is not None
    other = Answers(_cache(), ends.Ends(store), ())

    async def overtaken() -> Response:
        await running.post("/counts/a/1")
        await running.settle()
        return Response(200, [], b"old")

    async def make() -> Response:
        return Response(200, [], b"new")

    assert (await other.through(_request("/x"), overtaken)).body == b"old"
    assert (await other.through(_request("/x"), make)).body == b"new"


@pytest.mark.parametrize(("body", "header", "question"), [(900_000, 0, 0), (0, 900_000, 0), (0, 0, 900_000)])
async def test_what_is_kept_is_bounded(body: int, header: int, question: int) -> None:
    """Whoever made it large, the service or who asked."""
    answers = Answers(msgspec.structs.replace(_cache(), invalidated_by=()), None, ())

    async def make() -> Response:
        return Response(200, [(b"x-large", b"x" * header)], bytes(body))

    for number in range(20):
        await answers.through(_request(f"/{number}", bytes(question)), make)
    assert 5 <= len(answers._kept) <= LARGEST / 900_000
    assert answers._size <= LARGEST


async def test_an_answer_that_would_throw_out_the_others_is_not_kept() -> None:
    answers = Answers(msgspec.structs.replace(_cache(), invalidated_by=()), None, ())
    body = b"small"

    async def make() -> Response:
        return Response(200, [], body)

    await answers.through(_request("/small"), make)
    body = bytes(LARGEST + 1)
    assert (await answers.through(_request("/large"), make)).body == body
    body = b"new"
    assert (await answers.through(_request("/large"), make)).body == b"new"
    assert (await answers.through(_request("/small"), make)).body == b"small"


def _cache() -> CacheModel:
    edge = next(e.operation.edge for e in shelf.endpoints if e.operation.name == "show")
    assert edge.cache is not None
    return edge.cache


def _request(path: str, query: bytes = b"") -> Request:
    scope = {"path": path, "raw_path": path.encode(), "query_string": query}
    return Request(scope, {}, (), Context(begin(), Budget(5.0)))


def test_an_answer_for_a_principal_is_never_shared() -> None:
    service = Service("private")
    service.get("/mine", access=signed_in, cache=Cache(5, shared=True))(mine)
    with pytest.raises(DeclarationError, match="others would see the answer"):
        describe_service(service)
    asking = Service("asking")
    asking.get("/mine", access=anyone, cache=Cache(5, shared=True))(mine)
    with pytest.raises(DeclarationError, match="others would see the answer"):
        describe_service(asking)


def test_only_what_can_be_kept_is() -> None:
    service = Service("writing", store=Postgres())
    service.post("/x", access=anyone, cache=Cache(5))(hours)
    with pytest.raises(DeclarationError, match="only answers to GET"):
        describe_service(service)
    storeless = Service("storeless")
    storeless.get("/x", access=anyone, cache=Cache(5, invalidated_by=[Counted]))(hours)
    with pytest.raises(DeclarationError, match="no store"):
        describe_service(storeless)
    with pytest.raises(DeclarationError, match="is not an event"):
        Cache(5, invalidated_by=[Pieces])
    with pytest.raises(DeclarationError, match="a cache for 0 s"):
        Cache(0)
    with pytest.raises(DeclarationError, match="cannot vary"):
        Cache(5, vary=["*"])
