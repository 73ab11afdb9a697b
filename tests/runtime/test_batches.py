"""Many events in one transaction: when it fails, each stands for itself; poison costs its neighbours nothing."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shoal import Postgres, Service, System, Transaction, anyone, event, record
from shoal.drivers.base import Query
from shoal.errors import Contended, DeclarationError, TooLarge
from shoal.runtime.consuming import work
from shoal.runtime.consuming.item import Item
from shoal.runtime.tables import table_of
from shoal.service.describe import describe_service
from tests.runtime.world import World, running


@event("shop.sold", key="item")
class Sold(msgspec.Struct, frozen=True):
    item: str
    number: int


@event("shop.returned", key="item")
class Returned(msgspec.Struct, frozen=True):
    item: str
    number: int


@record("sales", key="id")
class Sale(msgspec.Struct, frozen=True):
    id: str


shop = Service("shop", store=Postgres(), publishes=[Sold, Returned])
single = Service("single", store=Postgres())
many = Service("many", store=Postgres())
system = System("sys", services=[shop, single, many])
bad: set[int] = set()
deadlocks: set[int] = set()
batches: list[list[int]] = []
order: list[tuple[str, int]] = []


@shop.post("/sold", access=anyone)
async def sell(sold: list[Sold], tx: Transaction) -> None:
    for one in sold:
        tx.publish(one)


@shop.post("/returned", access=anyone)
async def take_back(sold: list[Sold], tx: Transaction) -> None:
    for one in sold:
        tx.publish(one)
        tx.publish(Returned(one.item, one.number))


@single.on(Sold, attempts=2, backoff=0.001)
async def note(event: Sold, tx: Transaction) -> None:
    if event.number in bad:
        raise ValueError(f"{event.number} is bad")
    if event.number in deadlocks:
        deadlocks.remove(event.number)
        raise Contended("others hold what this needs")
    tx.put(Sale(f"{event.item}-{event.number}"))


@many.on(Sold, batch=8, attempts=2, backoff=0.001)
async def note_many(events: Sequence[Sold], tx: Transaction) -> None:
    batches.append([event.number for event in events])
    for one in events:
        order.append(("sold", one.number))
        if one.number in bad:
            raise ValueError(f"{one.number} is bad")
        tx.put(Sale(f"{one.item}-{one.number}"))


@many.on(Returned)
async def note_return(event: Returned, tx: Transaction) -> None:
    order.append(("returned", event.number))


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    for kept in (bad, deadlocks, batches, order):
        kept.clear()
    async with running(system, tmp_path) as world:
        yield world


@pytest.fixture(name="sessions")
def _sessions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how many messages each transaction of a consumer accepted."""
    found: list[int] = []
    commit = work.Worker._commit

    async def counted(self: work.Worker, items: Sequence[Item], part: Any) -> list[tuple[Item, float]]:
        done = await commit(self, items, part)
        found.append(len(done))
        return done

    monkeypatch.setattr(work.Worker, "_commit", counted)
    return found


async def sales(world: World, service: str) -> set[str]:
    async with world.stores[service].session() as session:
        return {str(row["id"]) for row in await session.find(table_of(Sale).table, Query())}


async def publish(world: World, numbers: Sequence[int], path: str = "/sold") -> None:
    answer = await world.post(path, json=[Sold(f"item {number}", number) for number in numbers])
    assert answer.status == 204


def names(numbers: Sequence[int]) -> set[str]:
    return {f"item {number}-{number}" for number in numbers}


async def test_what_comes_together_is_committed_together(world: World, sessions: list[int]) -> None:
    await publish(world, range(400))
    await world.settle()
    assert await sales(world, "single") == names(range(400))
    assert len(sessions) < 200  # of 800 messages


async def test_after_a_deadlock_each_is_committed_for_itself(world: World, sessions: list[int]) -> None:
    deadlocks.update({7})
    await publish(world, range(400))
    await world.settle()
    assert await sales(world, "single") == names(range(400))
    assert not deadlocks
    assert sessions.count(1) >= 50  # the rest of that part, and what it got while the peace lasted
    assert not world.letters("single")


async def test_what_is_too_large_for_a_transaction_is_handled_in_smaller_ones(
    world: World, sessions: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = work.Worker._commit

    async def bounded(self: work.Worker, items: Sequence[Item], part: Any) -> list[tuple[Item, float]]:
        if len(items) > 9:
            raise TooLarge(f"{len(items)} messages")
        return await commit(self, items, part)

    monkeypatch.setattr(work.Worker, "_commit", bounded)
    await publish(world, range(400))
    await world.settle()
    assert await sales(world, "single") == names(range(400))
    assert 1 < max(sessions) <= 9
    assert not world.letters("single")


async def test_one_that_fails_leaves_its_neighbours_committed(world: World) -> None:
    bad.update({7, 100, 399})
    await publish(world, range(400))
    await world.settle()
    for service in ("single", "many"):
        assert await sales(world, service) == names([n for n in range(400) if n not in bad])
        assert sorted(letter.key for letter in world.letters(service)) == ["item 100", "item 399", "item 7"]
        assert {letter.attempts for letter in world.letters(service)} == {2}


async def test_a_handler_of_many_gets_many_and_no_more_than_it_asked_for(world: World) -> None:
    await publish(world, range(100))
    await world.settle()
    assert await sales(world, "many") == names(range(100))
    assert max(map(len, batches)) == 8


async def test_a_batch_that_fails_is_handled_one_by_one(world: World) -> None:
    bad.add(5)
    await publish(world, range(10))
    await world.settle()
    assert await sales(world, "many") == names([n for n in range(10) if n != 5])
    assert [5] in batches


async def test_handlers_of_one_and_of_many_keep_the_order_of_a_key(world: World) -> None:
    await publish(world, [1, 2, 3, 1, 2, 3, 1], "/returned")
    await world.settle()
    for number in (1, 2, 3):
        heard = [kind for kind, n in order if n == number]
        assert heard == ["sold", "returned"] * (len(heard) // 2)


@pytest.mark.parametrize("many", [-1, 257])
def test_a_batch_has_a_size(many: int) -> None:
    with pytest.raises(DeclarationError, match=f"a batch of {many} events"):
        shop.on(Sold, batch=many)


def test_a_handler_of_many_must_take_many() -> None:
    odd = Service("odd", store=Postgres())

    @odd.on(Sold, batch=5)  # type: ignore[arg-type]
    async def one(event: Sold) -> None:
        pass

    with pytest.raises(DeclarationError, match="many Sold at a time but has no parameter") as caught:
        describe_service(odd)
    assert "events: Sequence[Sold]" in caught.value.hint
