"""The door to single processes: real processes in place of engines and services, and replicas that are none."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from shoal.errors import DeclarationError, EngineError, HostError, ShoalError
from shoal.local import control, replicas
from shoal.local.canary import Hold
from shoal.local.engines.recipe import Addresses, Recipe
from shoal.local.process import Command
from shoal.local.processes import Processes
from shoal.local.reporter import Quiet
from shoal.local.site import Site
from shoal.local.unit import Job, Surroundings, Unit
from shoal.mesh.endpoints import endpoint_file
from shoal.model.target import LOCAL
from tests.local import stand_ins
from tests.local.stand_ins import FakeUnit
from tests.local.test_supervisor_parts import SYSTEM

SECRETS = {
    "ORDERS__PASSWORD": "hunter2-hunter2",
    "SIGNING_KEY": "k",
    "DATABASE": "postgresql://a:secret-word@h/d",
    "MODE": "x",
}


def unit(folder: Path) -> Unit:
    async def prepare() -> Command:
        return Command(name="one", argv=(sys.executable, "-c", "import time; time.sleep(60)"), cwd=folder, env=SECRETS)

    async def probe() -> Addresses:
        return {"http": "tcp:127.0.0.1:1"}

    silent = SimpleNamespace(write=lambda line: line)
    ground = SimpleNamespace(
        layout=SimpleNamespace(logs=folder), forks=None, log=lambda name: silent,
        guardian=SimpleNamespace(watch=lambda p: None, forget=lambda p: None, environment={}),
    )  # fmt: skip
    around = Surroundings(ground=cast("Any", ground), reporter=Quiet(), changed=lambda: None)
    return Unit(Job(recipe=Recipe(name="one", prepare=prepare, probe=probe, ready_within=10), kind="engine"), around)


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Unit]:
    made = unit(tmp_path)
    await made.start()
    made.keep()
    yield made
    await made.stop()


def door(*units: Unit, services: Any = None) -> Any:
    hold = Hold(site=cast("Any", None), services=services or {}, units=lambda: units, around=cast("Any", None),
                retarget=cast("Any", None))  # fmt: skip
    return Processes(hold).wishes


async def test_a_process_is_stopped_and_stays_so_until_it_is_started(one: Unit) -> None:
    wishes, first = door(one), one.state.pid
    assert (await wishes["process.stop"]({"name": "one"})).status == "stopped"
    assert (one.kept, one.process) == (False, None)
    state = await wishes["process.start"]({"name": "one"})
    assert state.status == "ready"
    assert state.pid != first
    assert one.kept


async def test_a_process_is_restarted_as_another(one: Unit) -> None:
    first = one.state.pid
    assert (await door(one)["process.restart"]({"name": "one"})).pid not in (0, first)


async def test_starting_what_runs_changes_nothing(one: Unit) -> None:
    assert (await door(one)["process.start"]({"name": "one"})).pid == one.state.pid


async def test_secrets_of_an_environment_are_hidden(one: Unit) -> None:
    shown = msgspec.json.encode(await door(one)["process.show"]({"name": "one"})).decode()
    for secret in ("hunter2", '"k"', "secret-word"):
        assert secret not in shown
    assert '"MODE":"x"' in shown
    assert "time.sleep" in shown


async def test_names_that_nothing_has_are_refused_over_the_socket(one: Unit, tmp_path: Path) -> None:
    server = await control.serve(tmp_path / "control", door(one))
    async with server:
        for do in ("process.stop", "service.scale", "service.reload"):
            with pytest.raises(ShoalError) as refused:
                await control.ask(tmp_path / "control", do, name="two", service="two")
            assert "shoal ps" in refused.value.hint


@pytest.mark.parametrize("said", [b"", b'{"result":'])
async def test_a_system_that_stops_while_it_is_asked_is_told(said: bytes, tmp_path: Path) -> None:
    async def client(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    async with await asyncio.start_unix_server(client, tmp_path / "control"):
        with pytest.raises(HostError, match=r"has stopped while it was asked to process\.stop"):
            await control.ask(tmp_path / "control", "process.stop", name="one")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with stand_ins.site(SYSTEM, tmp_path, msgspec.structs.replace(LOCAL, replicas={"alpha": 2})) as found:
        yield found


async def scaled(site: Site, monkeypatch: pytest.MonkeyPatch, failing: set[int]) -> tuple[Any, list[FakeUnit]]:
    started: list[FakeUnit] = []
    monkeypatch.setattr(replicas, "Unit", stand_ins.units(failing, started))
    assert site.mesh is not None
    alpha = replicas.Replicas(site, site.mesh, site.plan.service("alpha"), stand_ins.surroundings(site))
    await alpha.start(strict=True)
    return alpha, started


def addresses(site: Site) -> int:
    """Count the replicas to which the proxy sends requests."""
    assert site.mesh is not None
    return (Path(site.mesh.root) / endpoint_file("alpha")).read_text().count('"pipe"')


async def test_a_service_gets_more_replicas_and_fewer(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    alpha, started = await scaled(site, monkeypatch, set())
    wishes = door(services={"alpha": alpha})
    names = [state.name for state in await wishes["service.scale"]({"service": "alpha", "replicas": 4})]
    assert names == ["alpha-0", "alpha-1", "alpha-2", "alpha-3"]
    assert addresses(site) == 4
    await wishes["service.scale"]({"service": "alpha", "replicas": 1})
    assert [unit.stopped for unit in started] == [False, True, True, True]
    assert addresses(site) == 1


async def test_a_replica_that_does_not_start_takes_no_place(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    alpha, _ = await scaled(site, monkeypatch, {4})
    with pytest.raises(EngineError, match="alpha-3"):
        await door(services={"alpha": alpha})["service.scale"]({"service": "alpha", "replicas": 5})
    assert len(alpha.units) == 3
    assert addresses(site) == 3


@pytest.mark.parametrize("count", [0, 17, "2", None])
async def test_numbers_of_replicas_that_make_no_sense_are_refused(count: object) -> None:
    with pytest.raises(DeclarationError, match="number of replicas"):
        await door(services={"alpha": object()})["service.scale"]({"service": "alpha", "replicas": count})


async def test_one_wish_waits_for_the_other(one: Unit) -> None:
    wishes = door(one)
    await asyncio.gather(*(wishes["process.restart"]({"name": "one"}) for _ in range(3)))
    assert one.state.status == "ready"
