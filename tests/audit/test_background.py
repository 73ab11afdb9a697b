"""The promises about sagas and read models, each broken by hand."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import msgspec
import pytest_asyncio

from shoal import Postgres, ReadModel, Saga, Service, System, event, record, retriable
from shoal.audit import Subject, check
from shoal.audit.rest import in_flight
from shoal.drivers.base import Query
from shoal.drivers.memory import MemoryStore
from shoal.model import plan
from shoal.model.target import MEMORY
from shoal.runtime.projections import fold, journal
from shoal.runtime.projections.fold import compile_fold
from shoal.runtime.projections.tables import JOURNAL, PARKED, Entry
from shoal.runtime.sagas.instances import SAGAS_TABLE, Instance, Status, to_row
from shoal.runtime.sides import OWN_TABLES
from shoal.runtime.tables import table_of
from shoal.service.describe import describe

NOW = datetime.now(UTC)


@event("bank.moved", key="account", sequence="number")
class Moved(msgspec.Struct, frozen=True, kw_only=True):
    account: str
    number: int
    amount: int


@record("balances", key="account")
class Balance(msgspec.Struct, frozen=True, kw_only=True):
    account: str
    amount: int = 0


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    amount: int = 0


class Moving(Saga[Transfer]):
    @retriable()
    async def move(self, state: Transfer) -> None: ...


bank = Service("bank", store=Postgres(), publishes=[Moved])
bank.saga("moving")(Moving)
balances = bank.projection("balances", records=[Balance])


@balances.on(Moved)
async def moved(event: Moved, records: ReadModel) -> None:
    known = await records.get(Balance, event.account) or Balance(account=event.account)
    records.put(Balance(account=event.account, amount=known.amount + event.amount))


@dataclass
class World:
    subject: Subject
    store: MemoryStore

    async def note(self, number: int, amount: int) -> None:
        data = msgspec.json.encode(Moved(account="a", number=number, amount=amount))
        entry = Entry(id=f"e{number}", ordinal=PARKED, type="bank.moved.v1", key="bank/a", number=number, data=data)
        async with self.store.session() as session:
            await journal.note(session, entry)

    async def fold(self) -> None:
        await journal.order(self.store)
        while (await fold.advance(self.store, compile_fold(balances))).events:
            pass

    async def saga(self, id: str, status: Status, done: tuple[str, ...] = ()) -> None:
        instance = Instance(
            id=id, saga="moving", key=id, part=0, status=status, step="move", done=done, state="{}", due=NOW,
            deadline=NOW, started=NOW, updated=NOW,
        )  # fmt: skip
        async with self.store.session() as session:
            session.put(SAGAS_TABLE, to_row(instance))

    async def violated(self) -> list[str]:
        return [f"{o.code} {text}" for o in (await check(self.subject)).outcomes for text in o.violations]


@pytest_asyncio.fixture
async def world() -> World:
    declared = System("town", services=[bank])
    store = MemoryStore()
    await store.migrate((), OWN_TABLES)
    await journal.prepare(store)
    await fold.begin(store, compile_fold(balances))
    planned = plan(describe(declared), MEMORY)
    subject = Subject(declared=declared, plan=planned, now=lambda: datetime.now(UTC), stores={"bank": store})
    return World(subject, store)


async def test_read_models_that_follow_from_their_events_are_found_sound(world: World) -> None:
    for number in (1, 2, 3):
        await world.note(number, 10)
    await world.fold()
    report = await check(world.subject, wait=1)
    assert report.held, report.complaints()
    assert [dict(report.outcome(code)[0].counts) for code in ("I6", "I8")] == [
        {"projections": 1, "events": 3, "records": 1},
        {"entries": 3, "keys": 1},
    ]


async def test_a_record_that_its_events_do_not_say_is_named(world: World) -> None:
    await world.note(1, 10)
    await world.fold()
    async with world.store.session() as session:
        session.put(table_of(Balance).table, {"account": "a", "amount": 11})
    (text,) = await world.violated()
    assert text.startswith("I6 bank: balances balances a: is ")


async def test_a_read_model_that_is_behind_is_named_and_in_flight(world: World) -> None:
    await world.note(1, 10)
    assert await in_flight(world.subject) == "read models behind"
    assert "I6 bank: balances is 1 events behind" in await world.violated()


async def test_an_event_whose_predecessor_is_missing_is_named(world: World) -> None:
    await world.note(1, 10)
    await world.note(3, 10)
    await world.fold()
    assert "I8 e3 of bank waits for an earlier event of bank/a" in await world.violated()


async def test_a_gap_in_the_journal_is_named(world: World) -> None:
    for number in (1, 2, 3):
        await world.note(number, 10)
    await world.fold()
    async with world.store.session() as session:
        (row,) = await session.find(JOURNAL.table, Query(where={"number": 2}))
        session.delete(JOURNAL.table, row["id"])
    violated = await world.violated()
    assert "I8 places in the journal of bank do not run without a gap" in violated
    assert "I8 numbers in the journal of bank of bank/a do not run without a gap" in violated


async def test_sagas_end_or_are_parked(world: World) -> None:
    await world.saga("s1", "completed")
    await world.saga("s2", "compensated")
    await world.saga("s3", "parked")
    report = await check(world.subject)
    assert report.held, report.complaints()
    assert [o.counts for o in report.outcome("I5")] == [{"completed": 1, "compensated": 1, "parked": 1}]


async def test_sagas_under_way_and_sagas_undone_in_part_are_named(world: World) -> None:
    await world.saga("s1", "running")
    await world.saga("s2", "compensated", done=("move",))
    assert await in_flight(world.subject) == "1 sagas under way"
    assert await world.violated() == [
        "I5 s1 of bank is still running at move: due",
        "I5 s2 of bank is compensated, but for move",
    ]


async def test_without_a_broker_what_only_it_knows_is_left_unchecked(world: World) -> None:
    report = await asyncio.wait_for(check(replace(world.subject, broker=None)), 10)
    assert {o.code for o in report.outcomes if o.state == "unchecked"} == {"I7", "I9", "I10", "I12"}
