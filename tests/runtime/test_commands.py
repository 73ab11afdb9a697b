"""The audit log of commands: who asked for what, and what became of it; nothing of what is personal."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from shoal import (
    Cache,
    Clock,
    Issuer,
    Personal,
    Postgres,
    Principal,
    Problem,
    Service,
    System,
    Transaction,
    anyone,
    internal,
    record,
    role,
)
from shoal.drivers.memory import MemoryStore
from shoal.errors import DeclarationError, Unavailable
from shoal.runtime.commands.endpoint import AuditedEndpoint
from shoal.runtime.commands.entries import COMMANDS, KEPT, Entry, identifier, to_row
from shoal.runtime.commands.reading import commands
from shoal.runtime.compile import compile_service
from shoal.runtime.endpoint import Endpoint, Surroundings
from shoal.runtime.metrics.registry import Metrics
from shoal.runtime.transaction import Announcer
from shoal.service.audited import hidden_in_path
from shoal.service.describe import describe_service
from shoal.testing import MovableClock
from tests.runtime.club import members
from tests.runtime.fleet import until
from tests.runtime.world import World, running

ADMIN = role("admin")


@record("goods", key="sku")
class Good(msgspec.Struct, frozen=True, kw_only=True):
    """Something to sell."""

    sku: str
    price: int


class Ended(Exception):
    """Nobody foresaw it."""


goods = Service("goods", store=Postgres())
"""Without personal data."""

bare = Service("bare")
"""Without a store."""


@goods.put("/goods/{sku}", access=ADMIN)
async def change(sku: str, body: Good, tx: Transaction, who: Principal) -> None:
    """Change one."""
    tx.put(body)
    await tx.flush()
    match body.price:
        case 0:
            raise Problem(403, "not-yours", f"{who.subject} may not")
        case -1:
            raise Ended("with secret-1 in it")


@goods.post("/goods", access=ADMIN, idempotent=True, status=201)
async def add(body: Good, tx: Transaction) -> Good:
    """Add one."""
    tx.insert(body)
    return body


@goods.get("/goods/{sku}", access=ADMIN)
async def show(sku: str, tx: Transaction) -> Good:
    """Show one."""
    return await tx.require(Good, sku)


@goods.delete("/goods/{sku}", access=ADMIN, audited=False)
async def remove(sku: str, tx: Transaction) -> None:
    """Remove one."""
    tx.delete(Good, sku)


@goods.post("/hearsay/{email}/{sku}", access=anyone, audited=True)
async def hear(email: Personal[str], sku: str) -> None:
    """Do something elsewhere."""


@goods.post("/plain", access=anyone)
async def plain() -> None:
    """Do something that everybody may."""


@goods.post("/inside/{sku}", access=internal, audited=True)
async def inside(sku: str, tx: Transaction) -> None:
    """Do something for another service."""


@bare.post("/bare", access=ADMIN)
async def without_store() -> None:
    """Do something elsewhere."""


market = System("market", services=[goods, bare], issuer=Issuer(goods, audience="market"))


@pytest_asyncio.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(market, tmp_path) as world:
        yield world


def bearer(world: World, subject: str = "usr_1", *roles: str) -> dict[str, str]:
    return {"authorization": f"Bearer {world.token(subject, roles=list(roles or ('staff', 'admin')))}"}


async def kept(world: World) -> Sequence[Entry]:
    return list(reversed(await commands(world.stores["goods"])))


async def test_a_command_is_recorded_with_its_change(world: World) -> None:
    before = world.clock.now()
    answer = await world.put("/goods/a", json=Good(sku="a", price=3), headers=bearer(world))
    assert answer.status == 204
    (entry,) = await kept(world)
    assert before <= entry.at <= world.clock.now()
    assert entry == Entry(
        id=entry.id,
        at=entry.at,
        operation="change",
        path={"sku": "a"},
        subject="usr_1",
        roles=("admin", "staff"),
        trace_id=answer.headers["x-trace-id"],
        status=204,
    )


async def test_the_change_and_its_entry_commit_together_or_not_at_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shoal.runtime.commands.entries.identifier", lambda _: "the same")
    monkeypatch.setattr("shoal.runtime.commands.endpoint.identifier", lambda _: "the same")
    assert (await world.put("/goods/a", json=Good(sku="a", price=3), headers=bearer(world))).status == 204
    assert (await world.put("/goods/b", json=Good(sku="b", price=3), headers=bearer(world))).status == 409
    assert (await world.get("/goods/b", headers=bearer(world))).status == 404
    assert [entry.path for entry in await kept(world)] == [{"sku": "a"}]


@pytest.mark.parametrize(
    ("price", "roles", "outcome"),
    [(0, (), (403, "not-yours")), (-1, (), (500, "internal-error")), (1, ("guest",), (403, "forbidden"))],
)
async def test_what_was_refused_is_recorded_though_nothing_changed(
    world: World, price: int, roles: Sequence[str], outcome: tuple[int, str]
) -> None:
    answer = await world.put("/goods/a", json=Good(sku="a", price=price), headers=bearer(world, "usr_2", *roles))
    assert answer.status == outcome[0]
    (entry,) = await kept(world)
    assert (entry.status, entry.problem, entry.subject, entry.path) == (*outcome, "usr_2", {"sku": "a"})
    assert (await world.get("/goods/a", headers=bearer(world))).status == 404
    assert "secret-1" not in repr(world.stores["goods"]._state.tables)


async def test_a_body_that_cannot_be_read_is_refused_and_recorded(world: World) -> None:
    await world.send("PUT", "/goods/a", bearer(world), b"{")
    assert [(e.status, e.problem) for e in await kept(world)] == [(400, "malformed-body")]


async def test_no_character_keeps_a_command_off_the_record(world: World) -> None:
    await world.put("/goods/a%00b", json=Good(sku="a", price=0), headers=bearer(world))
    assert [(e.status, e.path) for e in await kept(world)] == [(403, {"sku": r"a\x00b"})]


async def test_nobody_is_recorded_who_did_not_say_who_they_are(world: World) -> None:
    assert (await world.put("/goods/a", json=Good(sku="a", price=1))).status == 401
    assert await kept(world) == []


async def test_a_repeated_key_is_one_command(world: World) -> None:
    for price in (1, 1, 2):
        await world.post(
            "/goods", json=Good(sku="a", price=price), headers={**bearer(world), "idempotency-key": "once"}
        )
    assert [(e.status, e.problem, e.idempotency_key) for e in await kept(world)] == [
        (201, "", "once"),
        (422, "idempotency-key-reused", "once"),
    ]


async def test_reading_and_what_says_so_is_not_recorded(world: World) -> None:
    await world.get("/goods/a", headers=bearer(world))
    await world.delete("/goods/a", headers=bearer(world))
    await world.post("/plain")
    await world.post("/bare", headers=bearer(world))
    assert await kept(world) == []


async def test_what_is_personal_is_hidden(world: World) -> None:
    assert (await world.post("/hearsay/ada@example.org/a")).status == 204
    (entry,) = await kept(world)
    assert (entry.path, entry.subject, entry.roles) == ({"email": "***", "sku": "a"}, "", ())
    assert "ada" not in repr(world.stores["goods"]._state.tables)


@pytest.mark.parametrize("identity", ["spiffe://market/orders", "spiffe://cluster.local/ns/market/sa/orders"])
@pytest.mark.parametrize("claimed", ["", "URI=spiffe://market/goods,"])
async def test_the_mesh_says_which_service_asked(world: World, identity: str, claimed: str) -> None:
    vouched = {"x-forwarded-client-cert": f"{claimed}By=spiffe://market/goods;Hash=00;URI={identity}"}
    assert (await world.direct("goods", "POST", "/inside/a", vouched)).status == 204
    assert [(entry.operation, entry.caller) for entry in await kept(world)] == [("inside", "orders")]


async def test_a_refusal_is_answered_though_it_cannot_be_recorded(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = world.hosts["goods"].store
    assert isinstance(store, MemoryStore)

    def away() -> None:
        raise Unavailable("the store is away")

    monkeypatch.setattr(store, "session", away)
    assert (await world.post("/hearsay/x/a")).status == 204
    assert (await world.put("/goods/a", json=Good(sku="a", price=1), headers=bearer(world))).status == 503
    assert [r.getMessage() for r in caplog.records if r.name == "shoal.commands"] == [
        "hear by anyone (204) is not in the log: the store is away",
        "change by usr_1 (503) is not in the log: the store is away",
    ]


async def test_commands_are_found_by_who_what_and_when(world: World) -> None:
    store = world.stores["goods"]
    for number, who in enumerate(["a", "b", "a"]):
        await world.put("/goods/x", json=Good(sku="x", price=number), headers=bearer(world, who))
        world.clock.advance(timedelta(minutes=1))
    first = (await kept(world))[0]
    assert [e.status for e in await commands(store, by="a")] == [204, 403]
    assert [e.subject for e in await commands(store, since=first.at)] == ["a", "b"]
    assert await commands(store, operation="add") == []
    assert [e.id for e in await commands(store, trace=first.trace_id)] == [first.id]
    assert await commands(store, trace="0" * 32) == []
    assert [e.subject for e in await commands(store, operation="change", limit=1)] == ["a"]


async def test_rows_go_when_their_year_is_over(tmp_path: Path) -> None:
    world = World(market, tmp_path, {})
    now, store = world.clock.now(), world.stores["goods"]
    async with store.session() as session:
        for moment in (now - KEPT, now - KEPT + timedelta(hours=1)):
            entry = Entry(id=identifier(moment), at=moment, operation="change", trace_id="t", status=204)
            session.insert(COMMANDS.table, to_row(entry))
    host = world.hosts["goods"]
    await host.start()
    try:
        await until(lambda: fewer(store))
    finally:
        await host.stop()
    assert [entry.at for entry in await commands(store)] == [now - KEPT + timedelta(hours=1)]


async def fewer(store: MemoryStore) -> bool:
    return len(await commands(store)) < 2


def test_ids_sort_by_time_and_say_their_version() -> None:
    moments = [
        datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=n) for n in (0, 1, 2, 999, 1000, 10**6, 10**12)
    ]
    made = [identifier(moment) for moment in moments]
    assert made == sorted(made)
    assert all(i[14] == "7" and i[19] in "89ab" for i in made)


def test_only_what_is_audited_pays_for_it() -> None:
    clock = MovableClock()
    around = Surroundings(
        store=MemoryStore(),
        announcer=Announcer("market", goods, clock),
        authenticator=None,
        values={Clock: clock},
        poke=lambda: None,
        clock=clock,
    )
    compiled = compile_service(goods, around, Metrics())
    kinds = {endpoint.operation.name: type(endpoint) for endpoint in compiled.endpoints}
    assert {name for name, kind in kinds.items() if kind is AuditedEndpoint} == {"change", "add", "hear", "inside"}
    assert {kind for name, kind in kinds.items() if name in ("show", "remove", "plain")} == {Endpoint}


def test_what_cannot_be_recorded_is_refused() -> None:
    storeless = Service("storeless")

    @storeless.post("/x", access=anyone, audited=True)
    async def x() -> None:
        """Do something."""

    with pytest.raises(DeclarationError, match="x needs a store, but service storeless has none"):
        describe_service(storeless)
    with pytest.raises(DeclarationError, match="is recorded and keeps its answers"):
        goods.get("/y", audited=True, cache=Cache(60))(show)


def test_a_parameter_called_as_a_personal_field_is_hidden() -> None:
    declared = next(e for e in members.endpoints if e.operation.path == "/members/{id}")
    path = msgspec.structs.replace(declared.operation, path="/members/{id}/{email}")
    assert hidden_in_path(members, msgspec.structs.replace(declared, operation=path)) == {"email"}
