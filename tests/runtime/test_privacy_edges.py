"""Where something personal could be left in the clear, or behind: what nobody may forget."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, cast

import msgspec
import pytest
import pytest_asyncio

from shoal import Personal, event, personal, record
from shoal.drivers.base import Query
from shoal.drivers.postgres.verify import _lacks
from shoal.errors import DeclarationError, Undeclared
from shoal.runtime.consuming.item import Item
from shoal.runtime.pages import Search
from shoal.runtime.privacy.masking import without
from shoal.runtime.privacy.session import SealedStore
from shoal.runtime.privacy.tables import KEYS
from shoal.runtime.projections import fold, journal
from shoal.runtime.tables import table_of
from shoal.runtime.transaction import Announcer, UnitOfWork
from shoal.service.personal import personal_fields, refuse_personal
from shoal.testing.memory import MemorySystem
from tests.runtime import far_records
from tests.runtime.club import Letter, Member, club, letters, members, tried
from tests.runtime.world import running
from tests.telemetry.received import recorded

EMAIL = "Ada@Example.org"


@pytest_asyncio.fixture(name="system")
async def _system(tmp_path: Path) -> AsyncIterator[MemorySystem]:
    system = MemorySystem(club, tmp_path)
    await system.start()
    try:
        yield system
    finally:
        await system.stop()


def sealed_store(system: MemorySystem, name: str) -> SealedStore:
    return cast("SealedStore", system._hosts[name].store)


class Street(msgspec.Struct):
    city: Personal[str]


@record("homes", key="id")
class Home(msgspec.Struct):
    id: str
    street: Street | None = None


@event("homes.sold", key="id")
class Sold(msgspec.Struct):
    id: str
    names: tuple[Personal[str], ...] = ()


@record("nicks", key="id")
class Nick(msgspec.Struct):
    id: str
    nick: Personal[str] | None = None


def test_a_mark_in_a_union_is_one_of_the_field() -> None:
    (field,) = personal_fields(Nick, "id")
    assert (field.name, field.erased) == ("nick", None)
    assert "Ada" not in repr(Nick(id="1", nick="Ada"))


@pytest.mark.parametrize("kind", [Home, Sold])
def test_a_mark_within_the_type_of_a_field_is_refused(kind: type) -> None:
    with pytest.raises(DeclarationError, match="kept in the clear"):
        personal_fields(kind, "id")
    with pytest.raises(DeclarationError, match="kept in the clear"):
        refuse_personal(kind, "the state")


@record("people", key="id")
class Person(msgspec.Struct):
    id: str
    city: Annotated[str, personal(find=True)] = ""
    email: Annotated[str, personal(unique=True)] = ""


def test_a_store_of_documents_finds_by_hashes() -> None:
    table = table_of(Person).table
    assert (table.indexes, table.unique) == ((("city_find",),), frozenset({"email_find"}))
    for where in ({"city": "Rome"}, {"email": "a@example.org"}):
        Search(table_of(Person), where, "", 10)
    with pytest.raises(Undeclared, match="searched by town, which it does not have") as caught:
        Search(table_of(Person), {"town": "Rome"}, "", 10)
    assert caught.value.hint == "its fields are: id, city, email"


@record("a", key="id", unique=["name"])
class Unique(msgspec.Struct):
    id: str
    name: Personal[str]


@record("a", key="id", indexes=[("id", "name")])
class Indexed(msgspec.Struct):
    id: str
    name: Personal[str]


@record("a", key="name")
class Keyed(msgspec.Struct):
    id: str
    name: Annotated[str, personal(of="id")]


@pytest.mark.parametrize("kind", [Unique, Indexed, Keyed])
def test_nothing_is_said_of_ciphertext_as_if_it_were_the_value(kind: type) -> None:
    with pytest.raises(DeclarationError, match="personal"):
        table_of(kind)


def test_a_column_that_takes_no_ciphertext_is_told_when_the_service_starts() -> None:
    kinds = {
        "id": "text",
        "city": "text",
        "city_find": "text",
        "email": "integer",
        "email_find": "character varying(9)",
    }
    table = table_of(Person).table
    lacks = [*_lacks(table, kinds, {("people", "id"), ("people", "email_find")})]
    assert [text.partition(":")[0] for text in lacks] == [
        "column email of table people is integer, not text",
        "column email_find of table people is character varying(9), not text",
    ]


async def test_a_record_that_the_service_does_not_name_is_not_written_in_the_clear(system: MemorySystem) -> None:
    store = sealed_store(system, "members")
    async with store.session() as session:
        unit = UnitOfWork(session, Announcer("club", members, system.clock))
        for write in (unit.put, unit.insert):
            with pytest.raises(Undeclared, match="Stray") as caught:
                write(far_records.Stray(id="1", name="Ada"))
    assert caught.value.hint == "import it where the service is declared: from tests.runtime.far_records import Stray"


async def test_what_is_written_after_a_person_was_forgotten_is_not_sealed_with_the_key_of_before(
    system: MemorySystem,
) -> None:
    store, table = sealed_store(system, "members"), table_of(Member)
    row = table.to_row(Member(member_id="m1", email=EMAIL))
    async with store.session() as session:
        session.put(table.table, row)
    async with store.session() as session:
        await UnitOfWork(session, Announcer("club", members, system.clock)).forget("m1")
        session.put(table.table, row)
    async with store.inner.session() as session:
        kept = await session.get(table.table, "m1")
    assert kept is not None
    assert (kept["email"], kept["email_find"]) == ("sealed:gone", None)


async def test_a_process_that_remembers_a_key_leaves_no_hash_of_who_was_erased(system: MemorySystem) -> None:
    store, table = sealed_store(system, "members"), table_of(Member)
    row = table.to_row(Member(member_id="m1", email=EMAIL))
    async with store.session() as session:
        session.put(table.table, row)
    async with store.inner.session() as session:  # as another process does
        await store.vault.erase(session, "m1")
    async with store.session() as session:
        session.put(table.table, row)
    async with store.inner.session() as session:
        kept = await session.get(table.table, "m1")
        found = await session.find(table.table, Query())
    assert kept is not None
    assert (kept["email"], kept["email_find"], len(found)) == ("sealed:gone", None, 1)


async def test_a_fold_that_has_made_a_key_does_not_wait_for_itself_to_keep_a_lent_one(system: MemorySystem) -> None:
    """Both take the lock on the person: the projection's own record is sealed, and the next event's key is borrowed."""
    await system.post("/members", json={"id": "m1", "email": EMAIL})
    await system.settle()
    store, compiled, table = sealed_store(system, "desk"), fold.compile_fold(letters), table_of(Letter)
    async with store.inner.session() as session:  # nothing is known of the person
        for key in await session.find(KEYS.table, Query()):
            session.delete(KEYS.table, key["id"])
    store.vault.forget("m1")
    async with asyncio.timeout(10), store.session() as session:
        entries = await journal.entries(session, above=0, upto=None, types=compiled.types, limit=10)
        session.put(table.table, table.to_row(Letter(member_id="m1", email="")))
        await session.flush()
        await fold.apply(session, compiled, {Letter: table.table}, entries)
    assert (await system.get("/letters/m1")).json()["email"] == EMAIL


def test_nothing_that_was_sealed_is_shown_however_deep_it_lay() -> None:
    envelope = SimpleNamespace(data=msgspec.json.encode({"id": "m1", "home": "sealed:k:x", "born": "sealed:k:y"}))
    opened = msgspec.json.encode({"id": "m1", "home": {"city": ["Rome", "Romeville"]}, "born": 1815})
    item = Item(delivery=cast("Any", None), key="", envelope=cast("Any", envelope), opened=opened)
    assert without(item, "m1 of Romeville, Rome, born 1815") == "m1 of ***, ***, born ***"


async def test_the_log_of_an_outage_says_nothing_of_the_person(
    system: MemorySystem, caplog: pytest.LogCaptureFixture
) -> None:
    tried.clear()
    await system.post("/members", json={"id": "m1", "email": "away@example.org"})
    await system.settle()
    while (await system.get("/readers/m1")).status == 404:
        system.clock.advance(60.0)
        await system.settle()
    assert "met an outage" in caplog.text
    assert "away@" not in caplog.text


async def test_who_is_asked_for_a_key_records_it_in_the_trace_of_who_hears_or_folds_the_event(tmp_path: Path) -> None:
    ring = f"keyfile://{tmp_path / 'ring'}"
    async with running(club, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", SHOAL_KEY_RING=ring) as world:
        answer = await world.post("/members", json={"id": "m1", "email": "ada@example.org"})
        assert answer.status == 204, answer.body
        await world.settle()
        spans = recorded(world.recorders.values())
    lent = [span for span in spans if "/_shoal/keys/" in span.name]
    whole = {span.trace_id for span in spans if span.name == "POST /members" or span.name.startswith("project ")}
    assert lent
    assert {span.trace_id for span in lent} <= whole
    assert [span.name for span in spans if not span.parent_id and span.kind != "INTERNAL"] == ["POST /members"]
