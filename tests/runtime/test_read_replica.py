"""`ReadReplica` in handlers: what is committed, outside of every transaction, and personal data in the clear."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from shoal import Personal, Postgres, ReadReplica, Service, System, Transaction, anyone, record
from shoal.errors import DeclarationError
from shoal.service.describe import describe
from shoal.testing.memory import MemorySystem


@record("guests", key="number")
class Guest(msgspec.Struct, frozen=True, kw_only=True):
    number: str
    name: Personal[str]
    floor: int = 1


inn = Service("inn", store=Postgres())


@inn.put("/guests/{number}", access=anyone)
async def arrive(number: str, name: str, floor: int, tx: Transaction, replica: ReadReplica) -> int:
    tx.put(Guest(number=number, name=name, floor=floor))
    await tx.flush()
    return await replica.count(Guest)


@inn.get("/guests/{number}", access=anyone)
async def look(number: str, replica: ReadReplica) -> Guest:
    return await replica.require(Guest, number)


@inn.get("/guests", access=anyone)
async def listed(floor: int, replica: ReadReplica, limit: int = 9) -> list[Guest]:
    return await replica.find(Guest, {"floor": floor}, order=["-number"], limit=limit)


@inn.get("/known/{number}", access=anyone)
async def known(number: str, replica: ReadReplica) -> bool:
    return await replica.get(Guest, number) is not None


@pytest_asyncio.fixture(name="system")
async def _system(tmp_path: Path) -> AsyncIterator[MemorySystem]:
    system = MemorySystem(System("town", services=[inn]), tmp_path)
    await system.start()
    try:
        yield system
    finally:
        await system.stop()


async def test_it_sees_what_is_committed_and_not_the_transaction_beside_it(system: MemorySystem) -> None:
    assert (await system.put("/guests/1?name=Ada&floor=2")).json() == 0
    assert (await system.put("/guests/2?name=Bo&floor=2")).json() == 1
    assert (await system.get("/guests/1")).json() == {"number": "1", "name": "Ada", "floor": 2}
    assert [guest["name"] for guest in (await system.get("/guests?floor=2")).json()] == ["Bo", "Ada"]
    assert [guest["name"] for guest in (await system.get("/guests?floor=2&limit=1")).json()] == ["Bo"]
    assert (await system.get("/known/1")).json() is True


async def test_what_is_not_there_answers_404(system: MemorySystem) -> None:
    assert (await system.get("/guests/1")).status == 404
    assert (await system.get("/known/1")).json() is False


bare = Service("bare")


@bare.get("/guests", access=anyone)
async def counted(replica: ReadReplica) -> int:
    return await replica.count(Guest)


def test_a_service_without_a_store_has_none() -> None:
    with pytest.raises(DeclarationError, match="counted needs a store, but service bare has none"):
        describe(System("town", services=[bare]))
