"""Read models follow from events, whatever happens to the events on their way."""

import asyncio
import itertools
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal import Postgres, ReadModel, Service, System, Transaction, anyone, event, record
from shoal.drivers.base import Query, Session, Store
from shoal.drivers.memory import MemoryStore
from shoal.runtime.envelope import pack
from shoal.runtime.host import Fittings, Host
from shoal.runtime.projections import journal
from shoal.runtime.projections.fold import compile_fold
from shoal.runtime.projections.standing import Standing, is_quiet, standings
from shoal.runtime.projections.tables import PARKED, Entry
from shoal.runtime.tables import RecordTable, table_of
from shoal.service.marks import event_mark
from tests.runtime.world import World, running


@event("shelf.filled", key="shelf", sequence="number")
class Filled(msgspec.Struct, frozen=True, kw_only=True):
    shelf: str
    number: int
    pieces: int


@event("shelf.emptied", key="shelf", sequence="number")
class Emptied(msgspec.Struct, frozen=True, kw_only=True):
    shelf: str
    number: int


@event("shelf.looked_at")
class LookedAt(msgspec.Struct, frozen=True, kw_only=True):
    shelf: str


@record("levels", key="shelf")
class Level(msgspec.Struct, frozen=True, kw_only=True):
    shelf: str
    pieces: int
    history: tuple[int, ...] = ()


@record("totals", key="name")
class Total(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    pieces: int = 0
    trail: str = ""


@record("glances", key="shelf")
class Glances(msgspec.Struct, frozen=True, kw_only=True):
    shelf: str
    count: int


shelf = Service("shelf", store=Postgres(), publishes=[Filled, Emptied, LookedAt])
hall = Service("hall", store=Postgres())

levels = hall.projection("levels", records=[Level])
total = hall.projection("total", records=[Total])
own = shelf.projection("own-levels", records=[Level])

handled: list[str] = []
broken: set[str] = set()


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    pieces: int


@shelf.post("/shelves/{name}", access=anyone)
async def fill(name: str, body: Wish, tx: Transaction) -> None:
    tx.publish(Filled(shelf=name, number=body.number, pieces=body.pieces))


@shelf.post("/shelves/{name}/end", access=anyone)
async def end(name: str, body: Wish, tx: Transaction) -> None:
    tx.publish(Emptied(shelf=name, number=body.number))


@shelf.post("/shelves/{name}/look", access=anyone)
async def look(name: str, tx: Transaction) -> None:
    tx.publish(LookedAt(shelf=name))


@own.on(Filled)
async def own_filled(event: Filled, records: ReadModel) -> None:
    records.put(Level(shelf=event.shelf, pieces=event.pieces))


@own.on(Emptied)
async def own_emptied(event: Emptied, records: ReadModel) -> None:
    records.delete(Level, event.shelf)


@levels.on(Filled)
async def filled(event: Filled, records: ReadModel) -> None:
    known = await records.get(Level, event.shelf) or Level(shelf=event.shelf, pieces=0)
    records.put(Level(shelf=event.shelf, pieces=known.pieces + event.pieces, history=(*known.history, event.number)))


@levels.on(Emptied)
async def emptied(event: Emptied, records: ReadModel) -> None:
    if event.shelf in broken:
        raise ValueError(f"{event.shelf}\0 cannot be emptied")
    known = await records.get(Level, event.shelf) or Level(shelf=event.shelf, pieces=0)
    records.put(Level(shelf=event.shelf, pieces=0, history=(*known.history, event.number)))


@total.on(Filled)
async def add_up(event: Filled, records: ReadModel) -> None:
    known = await records.get(Total, "all") or Total(name="all")
    trail = f"{known.trail} {event.shelf}{event.number}"[-200:]  # depends on the order between keys
    records.put(Total(name="all", pieces=known.pieces + event.pieces, trail=trail))


@total.on(LookedAt)
async def glance(event: LookedAt, records: ReadModel) -> None:
    records.put(Total(name=f"seen {event.shelf}"))


@hall.on(Filled)
async def hear(event: Filled, tx: Transaction) -> None:
    handled.append(f"{event.shelf}{event.number}")
    if f"{event.shelf}{event.number}" in broken:
        raise ValueError("the handler fails")
    known = await tx.get(Glances, event.shelf) or Glances(shelf=event.shelf, count=0)
    tx.put(Glances(shelf=event.shelf, count=known.count + 1))


system = System("hotel", services=[shelf, hall])
FOLDS = {s.name: [compile_fold(p) for p in s.projections] for s in (shelf, hall)}


async def records(store: Store, kind: type) -> list[Any]:
    mapping: RecordTable[Any] = table_of(kind)
    async with store.session() as session:
        return [mapping.from_row(row) for row in await session.find(mapping.table, Query())]


async def standing(world: World, name: str) -> Standing:
    service = "shelf" if name.startswith("own") else "hall"
    return next(s for s in await standings(world.stores[service], FOLDS[service]) if s.name == name)


async def quiet(world: World) -> None:
    await world.settle()
    async with asyncio.timeout(10):
        while not all([await is_quiet(world.stores[name], FOLDS[name]) for name in FOLDS]):  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def send(world: World, *events: Any) -> None:
    """Put events on the broker as their owner would, in the order given."""
    await world.broker.publish(
        [pack("hotel", "shelf", event_mark(type(e)), e, now=world.clock.now(), trace=None) for e in events]
    )


@pytest.fixture(autouse=True)
def _clean() -> None:
    handled.clear()
    broken.clear()


async def test_events_of_others_and_of_its_own_become_records(tmp_path: Path) -> None:
    async with running(system, tmp_path) as world:
        for number, pieces in ((1, 5), (2, 7)):
            await world.post("/shelves/a", json={"number": number, "pieces": pieces})
        await world.post("/shelves/b", json={"number": 1, "pieces": 1})
        await quiet(world)
        assert await records(world.stores["hall"], Level) == [
            Level(shelf="a", pieces=12, history=(1, 2)),
            Level(shelf="b", pieces=1, history=(1,)),
        ]
        assert [r.pieces for r in await records(world.stores["shelf"], Level)] == [7, 1]
        assert (await records(world.stores["hall"], Total))[0].pieces == 13
        assert [g.count for g in await records(world.stores["hall"], Glances)] == [2, 1]
        found = await standing(world, "levels")
        assert (found.state, found.events, found.behind, found.rows) == ("live", 3, 0, {"levels": 2})


async def test_repeated_and_shuffled_events_have_the_effect_of_ordered_ones(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - the same shuffle each time
    events = [Filled(shelf=s, number=n, pieces=n) for s in "abcde" for n in range(1, 12)]
    async with running(system, tmp_path) as world:
        marked = [pack("hotel", "shelf", event_mark(Filled), e, now=world.clock.now(), trace=None) for e in events]
        copies = [msgspec.structs.replace(m, id=f"{m.id}-{n}") for m in marked for n in range(chance.randint(1, 5))]
        chance.shuffle(copies)
        await world.broker.publish(copies)
        await quiet(world)
        expected = [Level(shelf=s, pieces=66, history=tuple(range(1, 12))) for s in "abcde"]
        assert await records(world.stores["hall"], Level) == expected
        assert (await standing(world, "levels")).parked == 0
        assert [g.count for g in await records(world.stores["hall"], Glances)] == [11] * 5


async def test_without_the_check_of_numbers_repetitions_would_be_folded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = journal.note

    async def unchecked(session: Session, entry: Entry, *, partial: bool = False) -> journal.Noted:
        return await note(session, msgspec.structs.replace(entry, number=None), partial=partial)

    monkeypatch.setattr("shoal.runtime.projections.record.note", unchecked)
    with pytest.raises(AssertionError):
        await test_repeated_and_shuffled_events_have_the_effect_of_ordered_ones(tmp_path)


async def test_an_event_whose_predecessor_is_missing_waits_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    async with running(system, tmp_path) as world:
        await send(world, Filled(shelf="a", number=1, pieces=1), Filled(shelf="a", number=3, pieces=100))
        await send(world, Filled(shelf="b", number=1, pieces=1), Emptied(shelf="a", number=4))
        await quiet(world)
        assert [r.history for r in await records(world.stores["hall"], Level)] == [(1,), (1,)]
        assert (await standing(world, "levels")).parked == 2
        await send(world, Filled(shelf="a", number=2, pieces=10))
        await quiet(world)
        assert [r.history for r in await records(world.stores["hall"], Level)] == [(1, 2, 3, 4), (1,)]
        assert (await standing(world, "levels")).parked == 0


async def test_another_event_of_a_number_that_was_heard_is_passed_over(tmp_path: Path) -> None:
    async with running(system, tmp_path) as world:
        await send(world, Filled(shelf="a", number=1, pieces=1), Filled(shelf="a", number=1, pieces=50))
        await send(world, Filled(shelf="a", number=3, pieces=1), Filled(shelf="a", number=3, pieces=50))
        await send(world, Filled(shelf="a", number=2, pieces=1))
        await quiet(world)
        assert await records(world.stores["hall"], Level) == [Level(shelf="a", pieces=3, history=(1, 2, 3))]


async def test_a_projection_that_fails_stands_still_and_the_others_go_on(tmp_path: Path) -> None:
    broken.add("a")
    async with running(system, tmp_path) as world:
        await send(world, Filled(shelf="a", number=1, pieces=1), Emptied(shelf="a", number=2))
        await send(world, Filled(shelf="b", number=1, pieces=1))
        await quiet(world)
        stuck = await standing(world, "levels")
        assert (stuck.state, stuck.behind) == ("stalled", 3 - stuck.events)
        assert stuck.error == "ValueError: a cannot be emptied"  # in characters that every store can hold
        assert (await standing(world, "total")).events == 2
        broken.clear()
        async with asyncio.timeout(10):
            while (await standing(world, "levels")).behind:  # noqa: ASYNC110 - it is a row of a store
                await asyncio.sleep(0.01)
        assert [r.history for r in await records(world.stores["hall"], Level)] == [(1, 2), (1,)]
        assert (await standing(world, "levels")).state == "live"


async def test_an_event_is_noted_in_the_transaction_of_its_handler(tmp_path: Path) -> None:
    broken.add("a1")
    async with running(system, tmp_path) as world:
        await send(world, Filled(shelf="a", number=1, pieces=1))
        async with asyncio.timeout(10):
            while not handled:  # noqa: ASYNC110 - no event says so
                await asyncio.sleep(0.001)
        assert (await standing(world, "levels")).waiting == 0
        broken.clear()
        world.clock.advance(60)
        await quiet(world)
        assert (await standing(world, "levels")).events == 1
        assert [g.count for g in await records(world.stores["hall"], Glances)] == [1]


async def test_every_event_gets_one_place_without_gaps_whoever_orders() -> None:
    store = MemoryStore()
    await journal_of(store, [f"k{n % 7}" for n in range(300)])
    await journal.prepare(store)
    await asyncio.gather(*(journal.order(store) for _ in range(4)))
    async with store.session() as session:
        found = await journal.entries(session, 0, None, ["t"], 1000)
    assert [e.position for e in found] == list(range(1, 301))
    for _, group in itertools.groupby(sorted(found, key=lambda e: (e.key, e.position or 0)), key=lambda e: e.key):
        ordinals = [e.ordinal for e in group]
        assert ordinals == sorted(ordinals)


async def journal_of(store: Store, keys: list[str]) -> None:
    for number, key in enumerate(keys):
        async with store.session() as session:
            entry = Entry(id=str(number), ordinal=PARKED, type="t", key=key, data=b"{}")
            assert await journal.note(session, entry) == "noted"


async def test_another_replica_goes_on_where_one_has_stopped(tmp_path: Path) -> None:
    async with running(system, tmp_path) as world:
        first = world.hosts["hall"]
        fittings = Fittings(transport=world.calls, clock=world.clock, store=world.stores["hall"], broker=world.broker)
        config = msgspec.structs.replace(first.config, replica="1")
        second = Host(hall, config, fittings)
        await second.start()
        await send(world, Filled(shelf="a", number=1, pieces=1))
        await quiet(world)
        await first.stop()
        try:
            await send(world, Filled(shelf="a", number=2, pieces=2), Filled(shelf="b", number=1, pieces=4))
            await quiet(world)
            assert [r.pieces for r in await records(world.stores["hall"], Level)] == [3, 4]
        finally:
            await second.stop()


async def test_metrics_tell_what_was_noted_and_folded(tmp_path: Path) -> None:
    async with running(system, tmp_path) as world:
        await send(world, Filled(shelf="a", number=1, pieces=1), Filled(shelf="a", number=3, pieces=1))
        await quiet(world)
        text = (await world.direct("hall", "GET", "/metrics")).body.decode()
        assert 'shoal_journal_duration_seconds_count{shoal_event="shelf.filled.v1",shoal_outcome="noted"} 1' in text
        assert 'shoal_journal_duration_seconds_count{shoal_event="shelf.filled.v1",shoal_outcome="parked"} 1' in text
        assert 'shoal_projection_duration_seconds_count{shoal_projection="levels",shoal_outcome="folded"} 1' in text


@given(st.data())
async def test_the_journal_has_no_gap_however_events_come(data: st.DataObject) -> None:
    store = MemoryStore()
    await journal.prepare(store)
    sent = data.draw(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 6)), max_size=30))
    for place, (key, number) in enumerate(sent):
        async with store.session() as session:
            entry = Entry(id=str(place), ordinal=PARKED, type="t", key=key, number=number, data=b"")
            await journal.note(session, entry)
        if data.draw(st.booleans()):
            await journal.order(store)
    await journal.order(store)
    async with store.session() as session:
        found = await journal.entries(session, 0, None, ["t"], 100)
    assert [e.position for e in found] == list(range(1, len(found) + 1))
    for key in "ab":
        come = {number for each, number in sent if each == key}
        whole = next(n for n in range(1, 8) if n not in come) - 1
        assert [e.number for e in found if e.key == key] == list(range(1, whole + 1))
