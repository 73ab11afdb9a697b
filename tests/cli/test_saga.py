"""``shoal saga`` on a running system: sagas that are parked are seen, helped on and undone."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shoal.errors import HostError
from shoal.testing import LiveSystem
from shoal.testing.live import start_live
from tests.live.shopping import until

pytestmark = pytest.mark.live

SYSTEM = '''
from pathlib import Path
import msgspec
from shoal import Postgres, Saga, Service, System, Transaction, anyone, pivot, retriable, step

class State(msgspec.Struct):
    key: str
    trail: tuple[str, ...] = ()

class Gate:
    def check(self, key: str, name: str) -> None:
        if (Path("FOLDER") / f"{key}-{name}").exists():
            raise ValueError(f"{name} is blocked")

desk = Service("desk", store=Postgres())

@desk.provide
def gate() -> Gate:
    return Gate()

@desk.saga("parcel")
class Parcel(Saga[State]):
    """Sending a parcel."""

    async def unpack(self, state: State, gate: Gate) -> None:
        gate.check(state.key, "unpack")

    @step(compensate=unpack, attempts=1)
    async def pack(self, state: State, gate: Gate) -> State:
        gate.check(state.key, "pack")
        return State(key=state.key, trail=(*state.trail, "packed"))

    @pivot(attempts=2, backoff=0.01)
    async def send(self, state: State, gate: Gate) -> None:
        gate.check(state.key, "send")

    @retriable(attempts=2, backoff=0.01)
    async def tell(self, state: State, gate: Gate) -> None:
        gate.check(state.key, "tell")

@desk.post("/parcels/{key}", status=202, access=anyone)
async def begin(key: str, tx: Transaction) -> None:
    await tx.start(Parcel, State(key=key), key=key)

system = System("parcels", services=[desk])
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("blocked")


@pytest.fixture(scope="module")
def live(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    project = tmp_path_factory.mktemp("parcels")
    (project / "parcels_system.py").write_text(SYSTEM.replace("FOLDER", str(folder)))
    try:
        running = start_live(project, "parcels_system:system", tmp_path_factory.mktemp("run"), "--no-telemetry")
    except HostError as error:
        pytest.skip(f"the real engines cannot run here: {error.message}")
    yield running
    running.stop()


def run(live: LiveSystem, *words: str) -> tuple[int, str, str]:
    done = live.run("saga", *words)
    return done.returncode, done.stdout, done.stderr


async def shown(live: LiveSystem, key: str, *statuses: str) -> Any:
    """Wait until a saga has one of these statuses."""

    async def reached() -> Any:
        code, out, _ = await asyncio.to_thread(run, live, "show", key, "--json")
        found = json.loads(out) if code == 0 else None
        return found if found is not None and found["status"] in statuses else None

    return await until(reached, within=30, what=f"saga {key} to be {statuses}")


async def begin(live: LiveSystem, key: str, *statuses: str) -> Any:
    assert (await live.post(f"/parcels/{key}")).status == 202
    return await shown(live, key, *statuses)


async def test_a_parked_saga_is_seen_and_goes_on_when_it_is_retried(live: LiveSystem, folder: Path) -> None:
    block = folder / "ada-tell"
    block.touch()
    parked = await begin(live, "ada", "parked")
    assert (parked["step"], parked["direction"], parked["state"]["trail"]) == ("tell", "forward", ["packed"])
    assert [e["outcome"] for e in parked["journal"]] == ["done", "done", "failed", "failed"]
    code, out, err = run(live, "list")
    assert code == 1
    assert re.search(r"desk\s+parcel/ada\s+parked\s+tell #3", out), out
    assert "1 parked" in err
    code, out, _ = run(live, "show", "parcel/ada")
    assert code == 0
    assert "ValueError: tell is blocked" in out
    code, _, err = run(live, "compensate", "ada")
    assert (code, "from where there is no way back" in err) == (1, True), err
    block.unlink()
    assert run(live, "retry", "ada")[0] == 0
    await shown(live, "ada", "completed")
    code, _, err = run(live, "retry", "ada")
    assert (code, "only a parked one" in err) == (1, True)
    assert run(live, "list")[0] == 0


async def test_a_saga_that_is_parked_at_its_pivot_is_undone_only_by_force(live: LiveSystem, folder: Path) -> None:
    (folder / "bob-send").touch()
    await begin(live, "bob", "parked")
    code, _, err = run(live, "compensate", "bob")
    assert (code, "nobody knows whether that happened" in err, "--force" in err) == (1, True, True)
    assert run(live, "compensate", "bob", "--force")[0] == 0
    undone = await shown(live, "bob", "compensated")
    assert [(e["step"], e["direction"]) for e in undone["journal"]][-1] == ("pack", "backward")


async def test_a_compensation_that_fails_is_parked_and_retried(live: LiveSystem, folder: Path) -> None:
    (folder / "eve-pack").touch()
    block = folder / "eve-unpack"
    block.touch()
    parked = await begin(live, "eve", "parked")
    assert (parked["step"], parked["direction"]) == ("pack", "backward")
    block.unlink()
    assert run(live, "retry", "eve")[0] == 0
    await shown(live, "eve", "compensated")


def test_what_is_not_there_is_said(live: LiveSystem) -> None:
    code, _, err = run(live, "show", "nobody")
    assert (code, "there is no saga 'nobody'" in err, "hint:" in err) == (1, True, True)
    code, _, err = run(live, "list", "--service", "nowhere")
    assert (code, "there is no service 'nowhere'" in err) == (1, True)
    assert run(live, "list", "--state", "lost")[0] == 2


def test_every_command_shows_examples(live: LiveSystem) -> None:
    for words in ((), ("list",), ("show",), ("retry",), ("compensate",)):
        code, out, _ = run(live, *words, "--help")
        assert (code, "Examples:" in out) == (0, True)
