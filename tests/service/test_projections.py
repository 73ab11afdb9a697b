"""What a projection may be: everything that would make a rebuild differ from the live model is refused at start."""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import pytest

from shoal import (
    Clock,
    Postgres,
    ReadModel,
    Service,
    Settings,
    System,
    Transaction,
    contract,
    event,
    get,
    record,
    upcast,
)
from shoal.errors import DeclarationError
from shoal.model import Projection
from shoal.model.system import from_json, to_json
from shoal.service.describe import describe, describe_service
from shoal.service.records import records_of


@event("shelf.filled", version=2, key="shelf", sequence="number")
class Filled(msgspec.Struct, frozen=True, kw_only=True):
    shelf: str
    number: int


@event("shelf.filled", version=1, key="shelf", sequence="number")
class FilledV1(msgspec.Struct, frozen=True, kw_only=True):
    shelf: str
    number: int


@event("shelf.emptied", key="shelf", sequence="number")
class Emptied(msgspec.Struct, frozen=True, kw_only=True):
    shelf: str
    number: int


@event("shelf.moved", key="to", sequence="number")
class Moved(msgspec.Struct, frozen=True, kw_only=True):
    to: str
    number: int


@event("shelf.seen", key="shelf")
class Seen(msgspec.Struct, frozen=True, kw_only=True):
    shelf: str


@record("levels", key="shelf")
class Level(msgspec.Struct, frozen=True, kw_only=True):
    shelf: str


@record("levels", key="shelf")
class SameTable(msgspec.Struct, frozen=True, kw_only=True):
    shelf: str


@contract("shelf")
class ShelfApi(Protocol):
    @get("/shelves")
    async def shelves(self) -> list[str]: ...


class HallSettings(Settings, frozen=True, kw_only=True):
    colour: str = "red"


@upcast
def to_v2(old: FilledV1) -> Filled:
    return Filled(shelf=old.shelf, number=old.number)


async def fold(event: Filled, records: ReadModel) -> None: ...


async def fold_emptied(event: Emptied, records: ReadModel) -> None: ...


async def fold_moved(event: Moved, records: ReadModel) -> None: ...


async def fold_seen(event: Seen, records: ReadModel) -> None: ...


shelf = Service("shelf", store=Postgres(), publishes=[Filled, Emptied, Seen, Moved])
hall: Service
corner: Service


@pytest.fixture(autouse=True)
def _fresh() -> None:
    global hall, corner  # noqa: PLW0603 - a service is found by its module's name for it
    hall = Service("hall", store=Postgres())
    corner = Service("corner")


def system() -> System:
    return System("hotel", services=[shelf, hall])


def test_a_projection_becomes_data_and_subscriptions() -> None:
    levels = hall.projection("levels", records=[Level], version=3)
    levels.on(Filled, upcasters=[to_v2])(fold)
    levels.on(Emptied)(fold_emptied)

    @hall.on(Emptied)
    async def hear(event: Emptied, tx: Transaction) -> None: ...

    described = describe(system())
    found = described.service("hall")
    (projection,) = found.projections
    assert projection == Projection(
        name="levels", version=3, events=("shelf.emptied.v1", "shelf.filled.v1", "shelf.filled.v2"),
        tables=("levels",), source=projection.source,
    )  # fmt: skip
    assert projection.source.startswith("tests/service/test_projections.py:")
    assert sorted((s.handler, s.event, s.accepts) for s in found.subscriptions) == [
        ("hear", "shelf.emptied.v1", ()),
        ("journal", "shelf.filled.v2", ("shelf.filled.v1",)),
    ]
    assert described.service("shelf").publishes[0].sequence == "number"
    assert from_json(to_json(described)) == described


async def not_asynchronous_enough(event: Filled) -> None: ...


def plain(event: Filled, records: ReadModel) -> None: ...


async def with_clock(event: Filled, records: ReadModel, clock: Clock) -> None: ...


async def with_contract(event: Filled, records: ReadModel, shelf: ShelfApi) -> None: ...


async def with_transaction(event: Filled, records: Transaction) -> None: ...


async def with_settings(event: Filled, records: ReadModel, settings: HallSettings) -> None: ...


async def with_default(event: Filled, records: ReadModel, colour: str = "red") -> None: ...


async def of_another(event: Emptied, records: ReadModel) -> None: ...


async def twice(event: Filled, again: Filled, records: ReadModel) -> None: ...


async def without_types(event, records) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001


@pytest.mark.parametrize(
    ("handler", "said", "hint"),
    [
        (not_asynchronous_enough, "does not take one Filled and one ReadModel", "records: ReadModel"),
        (plain, "is not asynchronous", "async def"),
        (with_clock, "asks for 'clock': Clock", "from a field of the event"),
        (with_contract, "asks for 'shelf': ShelfApi", "let the event carry"),
        (with_transaction, "asks for 'records': Transaction", "take a ReadModel"),
        (with_settings, "asks for 'settings': HallSettings", "belongs into the event"),
        (with_default, "asks for 'colour': str", "belongs into the event"),
        (of_another, "asks for 'event': Emptied", "belongs into the event"),
        (twice, "does not take one Filled and one ReadModel", "records: ReadModel"),
        (without_types, "asks for 'event'", "belongs into the event"),
    ],
)
def test_what_would_differ_the_next_time_is_refused_with_its_line(
    handler: Callable[..., Any], said: str, hint: str
) -> None:
    hall.projection("levels", records=[Level]).on(Filled)(handler)
    with pytest.raises(DeclarationError, match=said) as caught:
        describe_service(hall)
    line = handler.__code__.co_firstlineno
    assert caught.value.where == f"tests/service/test_projections.py:{line}"
    assert hint in caught.value.hint


def test_older_versions_that_only_a_projection_takes_reach_the_service_beside_its_handler() -> None:
    @hall.on(Filled)
    async def hear(event: Filled, tx: Transaction) -> None: ...

    levels = hall.projection("levels", records=[Level])
    levels.on(Filled, upcasters=[to_v2])(fold)
    levels.on(Emptied)(fold_emptied)
    found = describe(system()).service("hall")
    assert ("hear", ("shelf.filled.v1",)) in [(s.handler, s.accepts) for s in found.subscriptions]


def test_a_projection_must_hear_something_and_keep_something() -> None:
    with pytest.raises(DeclarationError, match="keeps no records"):
        hall.projection("levels", records=[])
    with pytest.raises(DeclarationError, match="has version 0"):
        hall.projection("levels", records=[Level], version=0)
    with pytest.raises(DeclarationError, match="is not a record"):
        hall.projection("levels", records=[Filled])
    with pytest.raises(DeclarationError, match="is not a DNS label"):
        hall.projection("Levels!", records=[Level])
    hall.projection("levels", records=[Level])
    with pytest.raises(DeclarationError, match="projection levels hears no event"):
        describe_service(hall)


def test_names_records_and_events_belong_to_one() -> None:
    levels = hall.projection("levels", records=[Level])
    with pytest.raises(DeclarationError, match="levels is declared twice, first at tests/service/"):
        hall.projection("levels", records=[Level])
    with pytest.raises(DeclarationError, match="levels and others both keep SameTable"):
        hall.projection("others", records=[SameTable])
    levels.on(Filled, upcasters=[to_v2])(fold)
    with pytest.raises(DeclarationError, match=r"handles shelf\.filled\.v2 twice"):
        levels.on(Filled)(fold)
    with pytest.raises(DeclarationError, match="is not an event"):
        levels.on(Level)


def test_records_need_a_store() -> None:
    corner.projection("levels", records=[Level]).on(Seen)(fold_seen)
    with pytest.raises(DeclarationError, match="corner has projections but no store"):
        describe_service(corner)


def test_who_hears_a_part_of_a_sequence_could_not_see_its_gaps() -> None:
    levels = hall.projection("levels", records=[Level])
    levels.on(Filled)(fold)
    with pytest.raises(DeclarationError, match=r"hear shelf\.filled, which is numbered together with shelf\.emptied"):
        describe(system())
    hall.projection("emptied", records=[Other]).on(Emptied)(fold_emptied)
    describe(system())  # the service hears both; events that another field keys, or that have no number, do not matter


@record("others", key="shelf")
class Other(msgspec.Struct, frozen=True, kw_only=True):
    shelf: str


@pytest.mark.parametrize(
    ("key", "sequence", "said"),
    [("shelf", "count", "numbered by 'count', which Bad does not have"), ("", "number", "has no key")],
)
def test_a_sequence_counts_a_field_of_each_key(key: str, sequence: str, said: str) -> None:
    with pytest.raises(DeclarationError, match=said):

        @event("shelf.bad", key=key, sequence=sequence)
        class Bad(msgspec.Struct, frozen=True, kw_only=True):
            shelf: str
            number: int


def test_the_records_of_a_projection_are_looked_for_at_start_wherever_they_are_declared() -> None:
    @record("elsewhere", key="shelf")
    class Elsewhere(msgspec.Struct, frozen=True, kw_only=True):
        shelf: str

    hall.projection("levels", records=[Elsewhere])
    assert records_of(hall).count(Elsewhere) == 1
    assert records_of(hall).count(Level) == 1
