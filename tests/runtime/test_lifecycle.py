"""From the start to the end of a service: settings, migrations, providers, seeds, the drain."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shoal import Postgres, Service, Settings, System, TokenIssuer, Transaction, anyone, event, record
from shoal.drivers.memory import MemoryStore
from shoal.errors import DeclarationError, MigrationError, SettingsError
from shoal.runtime import migrations
from shoal.runtime.clients import LocalTransport
from shoal.runtime.config import ServiceConfig
from shoal.runtime.host import Fittings, Host
from shoal.runtime.load import load
from tests.runtime.world import World, running


@dataclass(frozen=True)
class Pool:
    url: str


@dataclass(frozen=True)
class Mailer:
    pool: Pool


@dataclass(frozen=True)
class Stamp:
    mailer: Mailer
    pool: Pool


class DeskSettings(Settings, frozen=True, kw_only=True):
    url: str


@event("desk.done", key="name")
class Done(msgspec.Struct, frozen=True):
    name: str


@record("names", key="name")
class Name(msgspec.Struct, frozen=True):
    name: str


desk = Service("desk", store=Postgres(), settings=DeskSettings, publishes=[Done])
sink = Service("sink", store=Postgres())
history: list[str] = []
gate = asyncio.Event()


@desk.provide
async def stamp(mailer: Mailer, pool: Pool) -> AsyncIterator[Stamp]:
    history.append("stamp")
    yield Stamp(mailer, pool)
    history.append("no stamp")


@desk.provide
async def mailer(pool: Pool) -> Mailer:
    history.append("mailer")
    return Mailer(pool)


@desk.provide
def pool(settings: DeskSettings) -> Iterator[Pool]:
    history.append("pool")
    yield Pool(settings.url)
    history.append("no pool")


@desk.seed("first")
async def first(tx: Transaction, stamp: Stamp) -> None:
    history.append("first")
    tx.insert(Name("seeded"))
    tx.publish(Done(stamp.pool.url))


@desk.seed("second")
async def second(tx: Transaction) -> None:
    history.append("second")
    assert await tx.get(Name, "seeded")


@desk.get("/url", access=anyone)
async def url(stamp: Stamp) -> str:
    return stamp.mailer.pool.url


@sink.on(Done)
async def done(event: Done, tx: Transaction) -> None:
    history.append(f"begun {event.name}")
    await gate.wait()
    tx.put(Name(event.name))
    history.append(f"done {event.name}")


system = System("sys", services=[desk, sink])


@pytest.fixture(autouse=True)
def _fresh() -> None:
    history.clear()
    gate.set()


async def begun(world: World, what: str) -> None:
    async with asyncio.timeout(5):
        while what not in history:  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0.001)


async def test_providers_are_made_after_what_they_need_and_cleaned_up_in_reverse(tmp_path: Path) -> None:
    async with running(system, tmp_path, DESK__URL="db") as world:
        assert history[:5] == ["pool", "mailer", "stamp", "first", "second"]
        assert (await world.get("/url")).json() == (await world.get("/url")).json() == "db"
    assert history[-2:] == ["no stamp", "no pool"]
    assert history.count("pool") == 1


async def test_a_seed_happens_once_for_a_store_and_its_events_are_announced(tmp_path: Path) -> None:
    async with running(system, tmp_path, DESK__URL="db") as world:
        await world.settle()
        again = Host(desk, world.hosts["desk"].config, Fittings(transport=world.calls, store=world.stores["desk"]))
        await again.start()
        await again.stop()
        assert (history.count("first"), history.count("second")) == (1, 1)
        assert len(world.broker.log("SYS_DESK")) == 1


async def test_a_failed_seed_leaves_nothing_and_is_sown_at_the_next_start() -> None:
    store, config = MemoryStore(), ServiceConfig(system="sys", entry="", environ={"DESK__URL": "db"})

    def host(overrides: dict[Any, Any]) -> Host:
        return Host(desk, config, Fittings(transport=LocalTransport(), store=store, overrides=overrides))

    with pytest.raises(AttributeError):
        await host({Stamp: object()}).start()
    assert history == ["pool", "mailer", "first", "no pool"]
    assert (await store.backlog()).count == 0
    right = host({})
    await right.start()
    await right.stop()
    assert (history.count("first"), history.count("second")) == (2, 1)


async def test_a_missing_setting_stops_the_start_by_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"DESK__URL is not set \(DeskSettings.url: str\)"):
        async with running(system, tmp_path):
            pass


async def test_work_in_hand_is_finished_and_its_outcome_stays(tmp_path: Path) -> None:
    gate.clear()
    async with running(system, tmp_path, DESK__URL="db") as world:
        await begun(world, "begun db")
        stopping = asyncio.create_task(world.hosts["sink"].stop())
        await asyncio.sleep(0)
        assert not stopping.done()
        gate.set()
        await stopping
        assert "done db" in history
        assert world.broker.idle()


async def test_a_service_without_its_store_does_not_start() -> None:
    config = ServiceConfig(system="sys", entry="", environ={"DESK__URL": "db"})
    with pytest.raises(DeclarationError, match="declares a store but was given none") as caught:
        await Host(desk, config, Fittings(transport=LocalTransport())).start()
    assert "SHOAL_STORE_URL" in caught.value.hint


async def test_a_circle_of_providers_is_refused() -> None:
    round_ = Service("round")
    globals()["round_service"] = round_

    @round_.provide
    def one(mailer: Mailer) -> Pool:
        return mailer.pool

    @round_.provide
    def two(pool: Pool) -> Mailer:
        return Mailer(pool)

    host = Host(round_, ServiceConfig(system="sys", entry=""), Fittings(transport=LocalTransport()))
    with pytest.raises(DeclarationError, match="provider of Pool needs Mailer, which depends on it") as caught:
        await host.start()
    assert caught.value.hint == "break the circle"
    assert caught.value.where == f"tests/runtime/test_lifecycle.py:{one.__code__.co_firstlineno}"


async def test_only_the_issuer_signs_tokens() -> None:
    thief = Service("thief")
    globals()["thief_service"] = thief

    @thief.get("/a", access=anyone)
    async def forge(tokens: TokenIssuer) -> str:
        return tokens.issue("root")

    host = Host(thief, ServiceConfig(system="sys", entry=""), Fittings(transport=LocalTransport()))
    with pytest.raises(DeclarationError, match="asks for TokenIssuer, which this service does not have") as caught:
        await host.start()
    assert "issuer" in caught.value.hint


def write(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_text(f"-- {name}", encoding="utf-8")
    return folder


def test_migrations_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    names = [f"{n:03d}_m{n}.sql" for n in range(1, 1002)]
    found = migrations.read(write(tmp_path, *reversed(names), "README.md"))
    assert [m.number for m in found] == list(range(1, 1002))
    assert found[0].name == "001_m1"
    assert found[0].sql == "-- 001_m1.sql"
    assert len({m.checksum for m in found}) == len(found)
    assert migrations.read(tmp_path / "none") == ()


@pytest.mark.parametrize(
    ("names", "message", "hint"),
    [
        (("1_a.sql",), "1_a.sql is not named like", "rename"),
        (("001-a.sql",), "001-a.sql is not named like", "rename"),
        (("001_A.sql",), "001_A.sql is not named like", "rename"),
        (("001_a.sql", "003_b.sql"), "003_b should have number 2", "without gaps"),
        (("001_a.sql", "001_b.sql"), "001_b should have number 2", "repetition"),
        (("002_a.sql",), "002_a should have number 1", "from 001"),
    ],
)
def test_a_migration_out_of_order_is_refused(tmp_path: Path, names: tuple[str, ...], message: str, hint: str) -> None:
    with pytest.raises(MigrationError) as caught:
        migrations.read(write(tmp_path, *names))
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.where.startswith(str(tmp_path))


def test_declarations_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "loadable.py").write_text("from shoal import Service\nthing = Service('thing')\nother = 1\n")
    (tmp_path / "broken_app.py").write_text("import broken\n")
    assert load("loadable:thing", Service).name == "thing"
    for entry, message, hint in (
        ("nowhere_at_all:x", "there is no module 'nowhere_at_all'", "-C DIR"),
        ("loadable:other", "loadable:other is no Service", "loadable has: thing"),
        ("loadable", "loadable is no Service", "thing"),
        ("loadable:thing", "loadable:thing is no System", "define one"),
    ):
        with pytest.raises(DeclarationError) as caught:
            load(entry, System if "System" in message else Service)
        assert message in caught.value.message
        assert hint in caught.value.hint
    with pytest.raises(ModuleNotFoundError, match="'broken'"):
        load("broken_app:x", Service)


def test_the_configuration_is_read_from_its_variables() -> None:
    config = ServiceConfig.from_environ({"SHOAL_SYSTEM": "sys", "SHOAL_ENTRY": "a:b", "SHOAL_DRAIN": "3", "X": "y"})
    assert (config.system, config.entry, config.drain, config.environ["X"]) == ("sys", "a:b", 3.0, "y")
    with pytest.raises(SettingsError, match="entry") as caught:
        ServiceConfig.from_environ({"SHOAL_SYSTEM": "sys"})
    assert "SHOAL_<FIELD>" in caught.value.hint
