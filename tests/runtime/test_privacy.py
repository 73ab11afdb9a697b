"""What is personal is ciphertext wherever it is kept or sent, and plain to handlers; keys go with the person."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import msgspec
import pytest
import pytest_asyncio

from shoal import Personal, event, record
from shoal.drivers.base import Query, Store
from shoal.drivers.base.cipher import Unreadable, seal, unseal
from shoal.drivers.keyfile import key_ring
from shoal.drivers.memory import MemoryStore
from shoal.errors import Contended, DeclarationError, EngineError, ShoalError
from shoal.model import names, plan
from shoal.model.target import MEMORY
from shoal.runtime.privacy.rotation import renew, standing
from shoal.runtime.privacy.session import SealedSession, SealedStore
from shoal.runtime.privacy.tables import KEYS
from shoal.runtime.privacy.vault import KEPT, LONGEST, Vault
from shoal.runtime.request import Receive, Response, Scope, Send, send_response
from shoal.runtime.tables import table_of
from shoal.service.describe import describe
from shoal.service.personal import marks_of, personal_fields, refuse_personal
from shoal.testing.memory import MemorySystem
from tests.runtime.club import Join, Joined, Member, Reader, club

EMAIL = "Ada@Example.org"
EVE = {"member_id": "m2", "email": "eve@example.org", "age": 36, "name": "Eve"}
IN_CLEAR = (b"example.org", b"dear friend", b'greeting":"a')


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


async def messages(system: MemorySystem, stream: str) -> list[bytes]:
    return [kept.message.body for kept in await system._broker.read(stream, 0, 100)]


def inside(store: Store | SealedStore) -> bytes:
    """Everything that a store holds."""
    state = cast("MemoryStore", store.inner if isinstance(store, SealedStore) else store)._state
    return repr((state.tables, state.outbox, state.receipts)).lower().encode()


async def joined(system: MemorySystem, id_: str = "m1", email: str = EMAIL) -> None:
    answer = await system.post("/members", json={"id": id_, "email": email})
    assert answer.status == 204, answer.body
    await system.settle()


async def test_handlers_see_values_and_nothing_else_does(system: MemorySystem) -> None:
    await joined(system)
    assert (await system.get("/members/m1")).json() == {
        "member_id": "m1", "email": EMAIL, "age": 36, "name": "Ada",
    }  # fmt: skip
    assert (await system.get("/readers/m1")).json()["email"] == EMAIL
    assert (await system.get("/letters/m1")).json()["email"] == EMAIL
    kept = await messages(system, names.stream("club", "members"))
    for text in (inside(sealed_store(system, "members")), inside(sealed_store(system, "desk")), *kept):
        for word in IN_CLEAR:
            assert word not in text.lower()
    assert len(kept) == 1


async def test_a_record_is_found_by_a_value_in_any_spelling_and_no_two_have_it(system: MemorySystem) -> None:
    await joined(system)
    assert [m["member_id"] for m in (await system.get("/members?email=ADA@example.ORG")).json()] == ["m1"]
    assert (await system.get("/members?email=bob@example.org")).json() == []
    again = await system.post("/members", json={"id": "m2", "email": "ada@EXAMPLE.org"})
    assert again.status == 409


async def test_what_is_not_to_be_found_cannot_be_searched(system: MemorySystem) -> None:
    store = sealed_store(system, "members")
    for query in (Query(where={"name": "Ada"}), Query(order=("-email",)), Query(above={"email": "a"})):
        with pytest.raises(ShoalError, match="personal"):
            async with store.session() as session:
                await session.find(table_of(Member).table, query)


async def test_a_key_that_was_made_in_vain_seals_nothing_later(system: MemorySystem) -> None:
    failed = await system.post("/members", json={"id": "m1", "email": EMAIL, "fail": True})
    assert failed.status == 500
    await joined(system)
    store = sealed_store(system, "members")
    store.vault.forget("m1")
    assert (await system.get("/members/m1")).json()["email"] == EMAIL


async def test_a_key_that_a_savepoint_undid_seals_nothing_later(system: MemorySystem) -> None:
    store = sealed_store(system, "members")
    table = table_of(Member)
    async with store.session() as session:
        with contextlib.suppress(ZeroDivisionError):
            async with session.savepoint():
                session.put(table.table, table.to_row(Member(member_id="m1", email="x")))
                await session.flush()
                raise ZeroDivisionError
        session.put(table.table, table.to_row(Member(member_id="m1", email=EMAIL)))
    store.vault.forget("m1")
    assert (await system.get("/members/m1")).json()["email"] == EMAIL


async def test_a_key_that_was_read_before_its_commit_is_not_remembered(system: MemorySystem) -> None:
    store, table = sealed_store(system, "members"), table_of(Member)
    with contextlib.suppress(ZeroDivisionError):
        async with store.session() as session:
            session.put(table.table, table.to_row(Member(member_id="m1", email="x")))
            await session.flush()
            cast("SealedSession", session).hold([("m1", "other"), ("m2", "records")], lambda *_: None)
            await session.flush()
            raise ZeroDivisionError
    async with store.session() as session:
        session.put(table.table, table.to_row(Member(member_id="m1", email=EMAIL)))
    store.vault.forget("m1")
    assert (await system.get("/members/m1")).json()["email"] == EMAIL


async def test_a_person_whose_keys_are_gone_reads_as_declared(system: MemorySystem) -> None:
    await joined(system)
    await joined(system, "m0", "bob@example.org")
    for name in ("members", "desk"):
        async with sealed_store(system, name).session() as session:
            assert await cast("SealedSession", session).erase("m1") != (0, 0)
    erased = {"member_id": "m1", "email": "", "age": None, "name": "nobody"}
    assert (await system.get("/members/m1")).json() == erased
    assert (await system.get("/readers/m1")).json()["email"] == ""
    assert (await system.get("/readers/m0")).json()["email"] == "bob@example.org"


async def test_nothing_of_an_erased_person_is_written_again(system: MemorySystem) -> None:
    store, table = sealed_store(system, "members"), table_of(Member)
    async with store.session() as session:
        await cast("SealedSession", session).erase("m1")
    async with store.session() as session:
        session.put(table.table, table.to_row(Member(member_id="m1", email=EMAIL)))
    assert (await system.get("/members/m1")).json()["email"] == ""
    assert (await system.get("/members?email=ada@example.org")).json() == []
    async with store.inner.session() as session:
        assert not await session.find(KEYS.table, Query())


async def test_an_event_whose_person_is_gone_is_heard_with_nothing_in_it(system: MemorySystem) -> None:
    store = sealed_store(system, "members")
    async with store.session() as session:
        await cast("SealedSession", session).erase("m1")
    await joined(system)
    assert (await system.get("/readers/m1")).json() == {"member_id": "m1", "email": ""}
    assert (await system.get("/letters/m1")).json() == {"member_id": "m1", "email": ""}


async def test_a_ciphertext_cannot_be_moved(system: MemorySystem) -> None:
    await joined(system)
    store = sealed_store(system, "members")
    async with store.inner.session() as session:
        row = await session.get(table_of(Member).table, "m1")
        assert row is not None
        session.put(table_of(Member).table, {**row, "name": row["email"]})
    with pytest.raises(EngineError, match="not what was sealed there"):
        async with store.session() as session:
            await session.get(table_of(Member).table, "m1")


async def test_what_was_kept_in_the_clear_is_read_and_sealed_when_it_is_next_written(system: MemorySystem) -> None:
    store, table = sealed_store(system, "desk"), table_of(Reader)
    async with store.inner.session() as session:
        session.put(table.table, {"member_id": "m9", "email": EMAIL})
    async with store.session() as session:
        row = await session.get(table.table, "m9", lock=True)
        assert row is not None
        assert row["email"] == EMAIL
        session.put(table.table, row)
    assert b"example.org" not in inside(store)
    assert (await system.get("/readers/m9")).json()["email"] == EMAIL


async def test_while_the_owner_is_away_an_event_waits_and_is_no_dead_letter(system: MemorySystem) -> None:
    refused, applications = asyncio.Event(), system._transport.applications
    owner = applications["members"]

    async def away(scope: Scope, receive: Receive, send: Send) -> None:
        refused.set()
        await send_response(send, Response(503, [], b""))

    applications["members"] = away
    await system.post("/members", json={"id": "m1", "email": EMAIL})
    async with asyncio.timeout(10):
        await refused.wait()
    applications["members"] = owner
    async with asyncio.timeout(10):
        while (await system.get("/readers/m1")).status == 404:
            system.clock.advance(1.0)
            await asyncio.sleep(0)
    await system.settle()
    assert (await system.get("/readers/m1")).json()["email"] == EMAIL
    assert not await messages(system, names.dead_letter_stream("club", "desk"))
    assert b"example.org" not in inside(sealed_store(system, "desk"))


async def test_an_answer_is_kept_sealed_and_given_again(system: MemorySystem) -> None:
    token, headers = system.token("m1"), {"idempotency-key": "k"}
    body = {"id": "m1", "email": EMAIL}
    first = await system.put("/members/m1", json=body, token=token, headers=headers)
    again = await system.put("/members/m1", json=body, token=token, headers=headers)
    assert (first.status, again.body) == (200, first.body)
    assert again.headers["idempotency-replayed"] == "true"
    assert b"example.org" not in inside(sealed_store(system, "members"))


async def test_a_dead_letter_says_nothing_of_the_person(system: MemorySystem, caplog: pytest.LogCaptureFixture) -> None:
    await system.post("/members", json={"id": "m1", "email": "poison@example.org"})
    while not (letters := await messages(system, names.dead_letter_stream("club", "desk"))):
        system.clock.advance(60.0)
        await system.settle()
    assert all(b"poison@" not in letter for letter in letters)
    assert "poison@" not in caplog.text


async def test_a_ciphertext_that_was_changed_is_a_dead_letter_and_stops_no_one_else(system: MemorySystem) -> None:
    await joined(system)
    (kept,) = await system._broker.read(names.stream("club", "members"), 0, 100)
    sealed = msgspec.json.decode(kept.message.body)
    sealed["id"], sealed["data"]["greeting"] = "changed", sealed["data"]["email"]
    body = msgspec.json.encode(sealed)
    await system._broker.publish([msgspec.structs.replace(kept.message, id="changed", body=body)])
    await joined(system, "m2", "bob@example.org")
    assert (await system.get("/readers/m2")).json()["email"] == "bob@example.org"
    (letter,) = await messages(system, names.dead_letter_stream("club", "desk"))
    assert b"changed" in letter


async def test_keys_are_renewed_while_everything_stays_readable(system: MemorySystem) -> None:
    await joined(system)
    store = sealed_store(system, "members")
    for _ in range(3):
        before = await standing(store.inner)
        done = await renew(fresh(store), store.inner)
        assert done.data_keys == before.data_keys
        after = await standing(store.inner)
        assert (after.behind, after.ring) == (0, done.ring)
        assert before.ring != after.ring
    system.clock.advance(KEPT + 1)
    assert (await renew(fresh(store), store.inner)).dropped == 3
    assert (await standing(store.inner)).wrapping == 2
    store.vault.forget("m1")
    assert (await system.get("/members/m1")).json()["email"] == EMAIL
    assert [m["member_id"] for m in (await system.get(f"/members?email={EMAIL}")).json()] == ["m1"]
    await joined(system, "m2", "new@example.org")
    assert (await system.get("/members/m2")).json()["email"] == "new@example.org"


async def test_what_a_long_transaction_wraps_outlives_two_renewals(system: MemorySystem) -> None:
    await joined(system)
    store = sealed_store(system, "members")
    async with cast("Store", store).session() as session:
        session.insert(
            table_of(Member).table, {"member_id": "m2", "email": "eve@example.org", "age": 36, "name": "Eve"}
        )
        await session.flush()
        for _ in range(2):
            await renew(fresh(store), store.inner)
    again = fresh(store)
    async with store.inner.session() as session:
        rows = await session.find(KEYS.table, Query(where={"subject": "m2"}))
        assert len(await again.unwrapped(session, rows)) == 1


async def test_a_transaction_that_is_too_long_wraps_nothing(system: MemorySystem) -> None:
    store = sealed_store(system, "members")

    async def last() -> None:
        async with cast("Store", store).session() as session:
            session.insert(table_of(Member).table, EVE)
            system.clock.advance(LONGEST + 1)

    with pytest.raises(Contended, match="3600 s"):
        await last()
    async with store.inner.session() as session:
        assert not await session.count(KEYS.table, {"subject": "m2"})


def fresh(store: SealedStore) -> Vault:
    known = store.vault
    return Vault("club", "members", known.ring, known._clock, known._now)


async def test_a_key_ring_in_a_file_is_made_once_and_keeps_its_keys(tmp_path: Path) -> None:
    url = f"keyfile://{tmp_path}/rings/club.json"
    first = await key_ring(url).wrap(b"k" * 32, "here")
    assert (tmp_path / "rings/club.json").stat().st_mode & 0o777 == 0o600
    assert await key_ring(url).renew() == "key-2"
    second = await key_ring(url).wrap(b"k" * 32, "here")
    assert (first.under, second.under) == ("key-1", "key-2")
    assert await key_ring(url).unwrap(first, "here") == b"k" * 32
    with pytest.raises(EngineError, match="cannot be read"):
        await key_ring(url).unwrap(second, "there")
    (tmp_path / "rings/club.json").unlink()
    with pytest.raises(EngineError, match="is not in"):
        await key_ring(url).unwrap(second, "here")


def test_a_ciphertext_is_of_one_place_and_never_twice_the_same() -> None:
    key = b"k" * 32
    one, other = seal(key, b"x", "a"), seal(key, b"x", "a")
    assert one != other
    assert unseal(key, one, "a") == b"x"
    for broken in (one[:-1] + bytes([one[-1] ^ 1]), one[:5], b""):
        with pytest.raises(Unreadable):
            unseal(key, broken, "a")


def test_only_declared_subscribers_may_borrow() -> None:
    planned = plan(describe(club), MEMORY).require()
    grants = {g.endpoint: g for g in planned.service("members").grants}
    assert grants["lend-members-joined-v1"].callers == ("spiffe://club/desk",)
    assert "lend-members-joined-v1" not in {r.endpoint for r in planned.routes}
    assert {"readers.email", "members.joined.v1.greeting"} <= {*planned.system.service("desk").personal}


def test_nothing_personal_is_shown() -> None:
    shown = repr([Joined(member_id="m1", email=EMAIL, friend_id="m0"), Member(member_id="m1", email=EMAIL)])
    assert "m1" in shown
    assert "xample" not in shown
    assert "Ada" not in shown
    assert marks_of(Join) == {}


@record("a", key="email")
class Keyed(msgspec.Struct):
    email: Personal[str]


@event("a.b")
class Nobody(msgspec.Struct):
    email: Personal[str]


@record("a", key="id")
class Years(msgspec.Struct):
    id: str
    years: Personal[int]


@pytest.mark.parametrize(
    ("kind", "key", "why"),
    [
        (Keyed, "email", "which is personal itself"),
        (Nobody, "", "nothing says whose it is"),
        (Years, "id", "what is read once the person is erased"),
    ],
)
def test_what_cannot_be_is_refused(kind: type, key: str, why: str) -> None:
    with pytest.raises(DeclarationError, match=why):
        personal_fields(kind, key)


def test_what_is_kept_in_the_clear_can_hold_nothing_personal() -> None:
    with pytest.raises(DeclarationError, match="kept in the clear"):
        refuse_personal(Nobody, "the table of facts")
