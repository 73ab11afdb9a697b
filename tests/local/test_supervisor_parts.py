"""What a supervisor is made of, without engines: folders, lock, ports, logs, environments, reloading."""

import asyncio
import os
import py_compile
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from shoal import model
from shoal.errors import HostError, SettingsError
from shoal.local import adopt, environment, layout, lock, logs, urls, world
from shoal.local.ports import is_free
from shoal.local.reload import Sources, forget_bytecode, syntax_error
from shoal.local.replicas import Replicas
from shoal.local.reporter import Quiet
from shoal.local.secrets import Passwords, SigningKey, passwords, signing_key
from shoal.local.site import World
from shoal.local.together import together
from shoal.model.choice import choose
from shoal.model.service import Event, Setting
from shoal.model.target import LOCAL

SYSTEM = model.System(
    name="demo",
    services=(
        model.Service(
            name="alpha",
            entry="demo.alpha.service:alpha",
            store=model.Store(),
            publishes=(Event(name="alpha.done", schema={}),),
            settings=(Setting(name="key", variable="ALPHA__KEY", secret=True),),
            externals=("bank",),
        ),
        model.Service(name="beta", entry="demo.beta.service:beta", store=model.Store()),
    ),
    externals=(model.External(name="bank", setting="bank_url"),),
    gateway=model.Gateway(issuer=model.Issuer(service="beta", audience="demo", name="demo-issuer")),
)
PLAN = model.plan(SYSTEM, LOCAL)


def a_world(folder: Path, **changes: object) -> World:
    found = World(
        passwords=passwords(folder, PLAN),
        key=SigningKey(private=folder / "private", public=folder / "public"),
        postgres="/run/pg",
        ports={"broker": 4222},
        externals={"bank": "http://127.0.0.1:9"},
        outbound={"alpha": "unix:/run/alpha.out", "beta": "unix:/run/beta.out"},
    )
    assert not changes
    return found


def test_folders_are_made_for_this_user(tmp_path: Path) -> None:
    place = layout.layout_of(tmp_path)
    layout.make(place)
    layout.make(place)
    assert place.secrets.stat().st_mode & 0o777 == 0o700
    assert place.sockets.stat().st_mode & 0o777 == 0o700
    assert (place.home / ".gitignore").read_text() == "*\n"
    assert len(str(place.sockets)) < 60


def test_a_planted_folder_of_sockets_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    place = layout.layout_of(tmp_path / "project")
    (tmp_path / "elsewhere").mkdir()
    place.runtime.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HostError, match="belongs to another user"):
        layout.make(place)


def test_a_project_has_one_lock(tmp_path: Path) -> None:
    held = lock.acquire(tmp_path / "lock")
    with pytest.raises(HostError, match=rf"already running \(pid {os.getpid()}\)"):
        lock.acquire(tmp_path / "lock")
    held.release()
    lock.acquire(tmp_path / "lock").release()


def test_ports_are_kept_while_they_are_free(tmp_path: Path) -> None:
    first = world.kept_ports(tmp_path / "ports", ("a", "b"))
    assert len(set(first.values())) == 2
    assert all(is_free(port) for port in first.values())
    assert world.kept_ports(tmp_path / "ports", ("a", "b")) == first


def test_passwords_are_made_once_and_hidden(tmp_path: Path) -> None:
    operators = world.operators(PLAN)
    made = passwords(tmp_path, PLAN, operators)
    assert made == passwords(tmp_path, PLAN, operators)
    assert made.stores.keys() == {"alpha", "beta", "postgres"}
    assert made.brokers.keys() == {"alpha", "operator"}
    assert (tmp_path / "passwords.json").stat().st_mode & 0o777 == 0o600
    assert made.stores["alpha"] not in repr(made)


def test_a_signing_key_is_made_once(tmp_path: Path) -> None:
    key = signing_key(tmp_path)
    before = key.private.read_bytes()
    assert signing_key(tmp_path).private.read_bytes() == before
    assert key.private.stat().st_mode & 0o777 == 0o600
    assert b'"d"' not in key.public.read_bytes()


def test_a_service_gets_its_own_credentials_only(tmp_path: Path) -> None:
    here = a_world(tmp_path)
    outside = {"ALPHA__KEY": "k", "BETA__KEY": "undeclared-key", "AWS_SECRET": "secret-of-the-shell"}
    alpha = environment.service_environment(PLAN, PLAN.service("alpha"), here, outside)
    assert alpha["SHOAL_STORE_URL"].startswith(f"postgres://alpha:{here.passwords.stores['alpha']}@/alpha?host=/run/pg")
    assert alpha["SHOAL_BROKER_URL"] == f"nats://alpha:{here.passwords.brokers['alpha']}@127.0.0.1:4222"
    assert (alpha["ALPHA__KEY"], alpha["ALPHA__BANK_URL"]) == ("k", "http://127.0.0.1:9")
    assert alpha["SHOAL_MESH"] == "unix:/run/alpha.out"
    assert alpha["PGAPPNAME"] == "alpha", "what it opens past its store is seen to be its own"
    assert "SHOAL_SIGNING_KEY" not in alpha
    beta = environment.service_environment(PLAN, PLAN.service("beta"), here, outside)
    assert "SHOAL_BROKER_URL" not in beta
    assert beta["SHOAL_SIGNING_KEY"] == str(tmp_path / "private")
    everything = " ".join(beta.values())
    assert all(
        secret not in everything for secret in (here.passwords.stores["alpha"], "undeclared-key", "secret-of-the-shell")
    )


def test_what_is_set_by_hand_wins_over_a_stand_in(tmp_path: Path) -> None:
    given = {"ALPHA__BANK_URL": "https://bank.example", "ALPHA__KEY": "k"}
    found = environment.service_environment(PLAN, PLAN.service("alpha"), a_world(tmp_path), given)
    assert found["ALPHA__BANK_URL"] == "https://bank.example"


def test_missing_settings_are_told_by_their_variables() -> None:
    with pytest.raises(SettingsError, match=r"(?s)ALPHA__BANK_URL is not set.*ALPHA__KEY is not set"):
        environment.missing_settings(PLAN, {})
    environment.missing_settings(PLAN, {"ALPHA__KEY": "k", "ALPHA__BANK_URL": "https://bank.example"})


def test_a_broker_that_runs_elsewhere_is_named_once_for_all_and_must_be_when_it_is_chosen(tmp_path: Path) -> None:
    services = (msgspec.structs.replace(service, settings=(), externals=()) for service in SYSTEM.services)
    system = msgspec.structs.replace(SYSTEM, services=tuple(services))
    plan = model.plan(system, choose(LOCAL, system, ["broker=servicebus"]))
    with pytest.raises(SettingsError, match=r"SHOAL_BROKER_URL is not set \(broker servicebus: servicebus://POLICY"):
        environment.missing_settings(plan, {})
    with pytest.raises(SettingsError, match="not said where servicebus is"):
        environment.operator_url(replace(a_world(tmp_path), broker="servicebus"))
    outside = {"SHOAL_BROKER_URL": "servicebus://p:k@n.servicebus.windows.net"}
    environment.missing_settings(plan, outside)
    assert not environment.elsewhere(model.plan(system, LOCAL), outside)
    there = replace(a_world(tmp_path), broker="servicebus", broker_url=environment.elsewhere(plan, outside))
    values = environment.service_environment(plan, plan.service("alpha"), there, outside)
    assert values["SHOAL_BROKER_URL"] == environment.operator_url(there) == outside["SHOAL_BROKER_URL"]


def test_a_cluster_of_opensearch_is_named_once_for_all_and_must_be_when_it_is_chosen(tmp_path: Path) -> None:
    searching = (
        msgspec.structs.replace(service, search=model.SearchUse(), settings=(), externals=())
        for service in SYSTEM.services
    )
    system = msgspec.structs.replace(SYSTEM, services=tuple(searching))
    chosen = choose(LOCAL, system, ["alpha.search=opensearch", "beta.search=opensearch"])
    plan = model.plan(system, chosen)
    with pytest.raises(SettingsError, match=r"SHOAL_SEARCH_URL is not set \(alpha, beta:"):
        environment.missing_settings(plan, {})
    with pytest.raises(SettingsError, match="the same for alpha and beta"):
        environment.missing_settings(plan, {"SHOAL_SEARCH_URL": "opensearch://node/shop"})
    outside = {"SHOAL_SEARCH_URL": "opensearch://node/shop-{service}"}
    environment.missing_settings(plan, outside)
    values = environment.service_environment(plan, plan.service("alpha"), a_world(tmp_path), outside)
    assert values["SHOAL_SEARCH_URL"] == "opensearch://node/shop-alpha"
    at_home = model.plan(system, LOCAL).service("alpha")
    values = environment.service_environment(plan, at_home, a_world(tmp_path), outside)
    assert values["SHOAL_SEARCH_URL"].startswith("postgres://")


def test_passwords_in_urls_are_quoted() -> None:
    assert urls.nats_url(1, "a b", "p/w:") == "nats://a%20b:p/w%3A@127.0.0.1:1"


async def test_logs_are_json_lines_bounded_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LARGEST", 200)
    log = logs.Log(tmp_path / "a.log")
    for number in range(6):
        log.write('{"message":"' + f"{number}" * 60 + '"}')
    log.write("ERROR plain text")
    log.close()
    folder = list(tmp_path.iterdir())  # noqa: ASYNC240
    lines = [logs.parse(line)[0] for line in logs.read(tmp_path / "a.log")]
    assert (lines[-1].message, lines[-1].level) == ("ERROR plain text", "error")
    assert 2 <= len(lines) <= 6
    assert sorted(path.name for path in folder) == ["a.1.log", "a.log"]


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ('2026-01-01 UTC [7] ERROR:  duplicate key value violates unique constraint "receipts_pkey"', "debug"),
        ("2026-01-01 UTC [7] FATAL:  the database system is starting up", "debug"),
        ('2026-01-01 UTC [7] ERROR:  duplicate key value violates unique constraint "orders_pkey"', "error"),
        ("2026-01-01 UTC [7] FATAL:  could not write", "critical"),
        ("2026-01-01 UTC [7] LOG:  checkpoint complete", "info"),
    ],
)
def test_what_is_part_of_an_engines_work_is_no_error(line: str, level: str) -> None:
    assert logs.parse(logs.wrap(line))[0].level == level


async def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    log = logs.Log(tmp_path / "missing" / "a.log")
    log.write("lost")
    log.close()


async def test_together_raises_the_first_failure_itself() -> None:
    ended: list[str] = []

    async def fails() -> None:
        raise HostError("no")

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waits")

    with pytest.raises(HostError, match="no"):
        await together(waits(), fails())
    assert ended == ["waits"]


def sources(root: Path) -> Sources:
    for service in ("alpha", "beta"):
        folder = root / "demo" / service
        folder.mkdir(parents=True)
        (folder / "service.py").write_text("")
    return Sources(root, {"alpha": "demo.alpha.service:alpha", "beta": "demo.beta.service:beta"})


@pytest.mark.parametrize(
    ("file", "services"),
    [
        ("demo/alpha/service.py", ("alpha",)),
        ("demo/beta/migrations/002_more.sql", ("beta",)),
        ("demo/shared.py", ("alpha", "beta")),
    ],
)
def test_a_file_belongs_to_the_service_of_its_folder(tmp_path: Path, file: str, services: tuple[str, ...]) -> None:
    assert sources(tmp_path).affected([tmp_path / file]) == services


def test_who_imports_a_file_is_reloaded_with_it(tmp_path: Path) -> None:
    found = sources(tmp_path)
    (tmp_path / "demo/alpha/contract.py").write_text("from demo.units import kilo\n")
    (tmp_path / "demo/beta/service.py").write_text("def late():\n    from ..alpha import contract\n")
    (tmp_path / "demo/units.py").write_text("import common.words, msgspec\nkilo = 1000\n")
    (tmp_path / "common").mkdir()
    (tmp_path / "common/words.py").write_text("")
    (tmp_path / "flat.py").write_text("")
    assert found.affected([tmp_path / "demo/alpha/contract.py"]) == ("alpha", "beta")
    assert found.affected([tmp_path / "demo/units.py"]) == ("beta",), "alpha's service does not import its contract"
    assert found.affected([tmp_path / "demo/alpha/service.py"]) == ("alpha",)
    assert tmp_path / "common" in found.packages
    assert not found.relevant(tmp_path / "flat.py")
    (tmp_path / "common/words.py").unlink()
    assert found.affected([tmp_path / "common/words.py"]) == ("beta",), "who imported it while it was there"
    (tmp_path / "demo/units.py").write_text("import flat(\n")
    assert found.affected([tmp_path / "demo/units.py"]) == ("beta",)
    (tmp_path / "demo/units.py").write_text("import flat\n")
    assert found.affected([tmp_path / "demo/units.py"]) == ("beta",)
    assert found.relevant(tmp_path / "flat.py")


def test_what_is_no_source_is_not_looked_at(tmp_path: Path) -> None:
    found = sources(tmp_path)
    assert found.relevant(tmp_path / "demo/alpha/service.py")
    for file in ("demo/alpha/.service.py.swp", "demo/__pycache__/a.py", ".shoal/a.json", "demo/tests/x.py", "a.txt"):
        assert not found.relevant(tmp_path / file)


def test_a_mistake_is_shown_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("x = (1\ny = 2\n")
    assert "SyntaxError a.py:1: '(' was never closed" in syntax_error([file])
    file.write_text("x = 1\n")
    assert syntax_error([file]) == ""


def test_bytecode_of_a_changed_module_is_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("x = 1\n")
    compiled = Path(py_compile.compile(str(file)) or "")
    assert compiled.exists()
    forget_bytecode([file])
    assert not compiled.exists()
    forget_bytecode([file])


def test_passwords_survive_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / "passwords.json").write_text("{")
    made = passwords(tmp_path, PLAN)
    assert msgspec.json.decode((tmp_path / "passwords.json").read_bytes(), type=Passwords) == made


class Replaced(Replicas):
    """Counts how often it is replaced."""

    def __init__(self) -> None:
        self.times = 0

    async def reload(self) -> float:
        self.times += 1
        return 0.0


async def test_a_service_with_its_first_event_is_started_again_with_a_broker(tmp_path: Path) -> None:
    place = layout.layout_of(tmp_path)
    layout.make(place)
    alpha, beta = SYSTEM.services
    first = msgspec.structs.replace(beta, publishes=(Event(name="beta.done", schema={}),))
    old = world.settle(PLAN, place)
    more = model.plan(msgspec.structs.replace(SYSTEM, services=(alpha, first)), LOCAL)
    new = world.settle(more, place, ports=old.ports)
    services = {"alpha": Replaced(), "beta": Replaced()}
    await adopt.refresh(old, new, {**services, "": None}, Quiet())
    assert {name: each.times for name, each in services.items()} == {"alpha": 0, "beta": 1}
    layout.clear(place)
