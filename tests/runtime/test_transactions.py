"""What a handler's transaction promises, and what `Idempotency-Key` adds to it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import msgspec
import pytest

from shoal import (
    Conflict,
    Issuer,
    Postgres,
    Principal,
    Problem,
    Service,
    System,
    Transaction,
    anyone,
    contract,
    event,
    internal,
    post,
    record,
    signed_in,
)
from tests.runtime.world import World, running


@record("items", key="id")
class Item(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    owner: str = ""
    count: int = 1


@event("shop.sold", key="id")
class Sold(msgspec.Struct, frozen=True):
    id: str


@event("shop.secret")
class Unannounced(msgspec.Struct, frozen=True):
    id: str


@contract("bank")
class BankApi(Protocol):
    @post("/payments", access=internal)
    async def pay(self, amount: int) -> int: ...


bank = Service("bank", contracts=[BankApi])
shop = Service("shop", store=Postgres(), publishes=[Sold])
paid: list[int] = []
gate = asyncio.Event()
fail_once: list[Exception] = []


@bank.implements(BankApi.pay)
async def pay(amount: int) -> int:
    paid.append(amount)
    return len(paid)


@shop.post("/items", access=anyone, idempotent=True, status=201)
async def sell(item: Item, tx: Transaction) -> Item:
    tx.insert(item)
    tx.publish(Sold(item.id))
    if fail_once:
        raise fail_once.pop()
    return item


@shop.post("/gated", access=anyone, idempotent=True)
async def gated(item: Item, tx: Transaction) -> Item:
    await gate.wait()
    tx.insert(item)
    tx.publish(Sold(item.id))
    return item


@shop.post("/own", access=signed_in, idempotent=True)
async def own(principal: Principal, tx: Transaction) -> str:
    tx.insert(Item(id=f"own-{principal.subject}", owner=principal.subject))
    return principal.subject


@shop.post("/paid", access=anyone, idempotent=True)
async def buy(item: Item, tx: Transaction, api: BankApi) -> int:
    number = await api.pay(amount=item.count)
    tx.insert(item)
    return number


@shop.post("/plain", access=anyone)
async def plain(item: Item, tx: Transaction) -> Item:
    tx.insert(item)
    tx.publish(Sold(item.id))
    await tx.flush()
    if item.owner == "thief":
        raise Problem(403, "thief")
    if item.owner == "bug":
        raise KeyError(item.id)
    if item.owner == "unannounced":
        tx.publish(Unannounced(item.id))
    return item


@shop.post("/caught", access=anyone)
async def caught(item: Item, tx: Transaction) -> str:
    tx.insert(item)
    try:
        await tx.flush()
    except Conflict as error:
        raise Problem(409, "taken", "choose another id") from error
    return "new"


@shop.post("/late", access=anyone, timeout=0.02)
async def late(item: Item, tx: Transaction) -> None:
    tx.insert(item)
    tx.publish(Sold(item.id))
    await tx.flush()
    await asyncio.Event().wait()


@shop.get("/items/{id}", access=anyone)
async def show(id: str, tx: Transaction) -> Item:
    return await tx.require(Item, id)


@shop.get("/items", access=anyone)
async def some(tx: Transaction, owner: list[str] | None = None) -> list[Item]:
    return await tx.find(Item, {"owner": tuple(owner)} if owner else None, order=("-count",))


system = System("sys", services=[shop, bank], issuer=Issuer(bank, audience="sys"))


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    paid.clear()
    fail_once.clear()
    gate.clear()
    async with running(system, tmp_path) as world:
        yield world


async def sold(world: World) -> list[str]:
    await world.settle()
    return [msgspec.json.decode(m.body)["data"]["id"] for m in world.broker.log("SYS_SHOP")]


async def test_everything_commits_together(world: World) -> None:
    assert (await world.post("/plain", json={"id": "a"})).status == 200
    assert (await world.get("/items/a")).json() == {"id": "a", "owner": "", "count": 1}
    assert await sold(world) == ["a"]


@pytest.mark.parametrize(("owner", "status"), [("thief", 403), ("bug", 500), ("unannounced", 500)])
async def test_a_failure_takes_back_everything_with_its_events(world: World, owner: str, status: int) -> None:
    assert (await world.post("/plain", json={"id": "a", "owner": owner})).status == status
    assert (await world.get("/items/a")).status == 404
    assert (await world.post("/plain", json={"id": "b"})).status == 200
    assert await sold(world) == ["b"]


async def test_work_that_ran_out_of_time_takes_back_everything(world: World) -> None:
    assert (await world.post("/late", json={"id": "a"})).status == 504
    assert (await world.get("/items/a")).status == 404
    assert await sold(world) == []


async def test_a_conflict_of_the_commit_is_409(world: World) -> None:
    assert (await world.post("/plain", json={"id": "a"})).status == 200
    assert (await world.post("/plain", json={"id": "a"})).status == 409
    assert (await world.post("/caught", json={"id": "a"})).json()["detail"] == "choose another id"
    assert await sold(world) == ["a"]


async def test_what_is_missing_is_404(world: World) -> None:
    answer = await world.get("/items/none")
    assert (answer.status, answer.json()["detail"]) == (404, "there is no Item none")


async def test_records_are_found_by_their_fields(world: World) -> None:
    for number, owner in enumerate(("ann", "bob", "cid")):
        await world.post("/plain", json={"id": owner, "owner": owner, "count": number})
    assert [i["id"] for i in (await world.get("/items")).json()] == ["cid", "bob", "ann"]
    assert [i["id"] for i in (await world.get("/items?owner=ann&owner=cid")).json()] == ["cid", "ann"]


KEY = {"Idempotency-Key": "k1"}


async def test_the_same_request_under_the_same_key_has_one_effect_and_one_answer(world: World) -> None:
    first = await world.post("/items", json={"id": "a"}, headers=KEY)
    again = await world.post("/items", json={"id": "a"}, headers=KEY)
    assert (again.status, again.body) == (first.status, first.body) == (201, first.body)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert await sold(world) == ["a"]


async def test_another_request_under_a_used_key_is_422(world: World) -> None:
    await world.post("/items", json={"id": "a"}, headers=KEY)
    for path, body in (("/items", {"id": "b"}), ("/items?x=1", {"id": "a"})):
        answer = await world.post(path, json=body, headers=KEY)
        assert (answer.status, answer.json()["type"]) == (422, "urn:shoal:problem:idempotency-key-reused")
    assert await sold(world) == ["a"]


async def test_keys_of_different_operations_are_different(world: World) -> None:
    gate.set()
    assert (await world.post("/items", json={"id": "a"}, headers=KEY)).status == 201
    assert (await world.post("/gated", json={"id": "b"}, headers=KEY)).status == 200
    assert await sold(world) == ["a", "b"]


async def test_without_a_key_nothing_is_remembered(world: World) -> None:
    assert (await world.post("/items", json={"id": "a"})).status == 201
    assert (await world.post("/items", json={"id": "a"})).status == 409


async def test_requests_at_the_same_time_have_one_effect(world: World) -> None:
    asked = [asyncio.create_task(world.post("/gated", json={"id": "a"}, headers=KEY)) for _ in range(5)]
    await asyncio.sleep(0)
    gate.set()
    answers = await asyncio.gather(*asked)
    assert {a.status for a in answers} == {200}
    assert len({a.body for a in answers}) == 1
    assert await sold(world) == ["a"]


async def test_requests_at_the_same_time_have_one_effect_outside(world: World) -> None:
    asked = [asyncio.create_task(world.post("/paid", json={"id": "a"}, headers=KEY)) for _ in range(5)]
    answers = await asyncio.gather(*asked)
    assert {a.status for a in answers} == {200}
    assert len({a.body for a in answers}) == 1
    assert paid == [1]


async def test_a_key_belongs_to_its_principal(world: World) -> None:
    for subject in ("ann", "bob"):
        answer = await world.post("/own", token=world.token(subject), headers=KEY)
        assert (answer.status, answer.json()) == (200, subject)


@pytest.mark.parametrize(
    ("error", "status"), [(Problem(409, "closed"), 409), (ValueError(), 500), (Conflict("x"), 409)]
)
async def test_a_failed_attempt_leaves_the_key_free(world: World, error: Exception, status: int) -> None:
    fail_once.append(error)
    assert (await world.post("/items", json={"id": "a"}, headers=KEY)).status == status
    again = await world.post("/items", json={"id": "a"}, headers=KEY)
    assert (again.status, "idempotency-replayed" in again.headers) == (201, False)
    assert await sold(world) == ["a"]


@pytest.mark.parametrize("key", ["", "x" * 256, "ü"])
async def test_a_malformed_key_is_400(world: World, key: str) -> None:
    answer = await world.post("/items", json={"id": "a"}, headers={"Idempotency-Key": key})
    assert (answer.status, answer.json()["type"]) == (400, "urn:shoal:problem:malformed-idempotency-key")


async def test_a_repeated_command_does_not_call_others_again(world: World) -> None:
    for _ in range(3):
        assert (await world.post("/paid", json={"id": "a", "count": 5}, headers=KEY)).json() == 1
    assert paid == [5]


async def test_an_undeclared_event_is_a_failure_that_is_logged_with_its_remedy(world: World) -> None:
    answer = await world.post("/plain", json={"id": "a", "owner": "unannounced"})
    assert answer.status == 500
    assert b"Unannounced" not in answer.body
