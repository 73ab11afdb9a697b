"""``shoal projections`` on a running system: read models are seen, compared with their events and built anew."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shoal.errors import HostError
from shoal.testing import LiveSystem
from shoal.testing.live import start_live
from tests.live.shopping import until

pytestmark = pytest.mark.live

SYSTEM = """
from pathlib import Path
import msgspec
from shoal import Postgres, ReadModel, Service, System, Transaction, anyone, event, record

@event("desk.counted", key="name", sequence="number")
class Counted(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    number: int

@record("counters", key="name")
class Counter(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    value: int = 0

@record("shown", key="name")
class Shown(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    value: int = 0

@record("stuck", key="name")
class Stuck(msgspec.Struct, frozen=True, kw_only=True):
    name: str

desk = Service("desk", store=Postgres(), publishes=[Counted])
shown = desk.projection("shown", records=[Shown])
stuck = desk.projection("stuck", records=[Stuck])

@desk.post("/count/{name}", access=anyone)
async def count(name: str, tx: Transaction) -> None:
    counter = await tx.get(Counter, name, lock=True) or Counter(name=name)
    tx.put(Counter(name=name, value=counter.value + 1))
    tx.publish(Counted(name=name, number=counter.value + 1))

@desk.post("/spoil/{name}", access=anyone)
async def spoil(name: str, tx: Transaction) -> None:
    tx.put(Shown(name=name, value=-1))

@shown.on(Counted)
async def counted(event: Counted, records: ReadModel) -> None:
    records.put(Shown(name=event.name, value=event.number))

@stuck.on(Counted)
async def fold_stuck(event: Counted, records: ReadModel) -> None:
    if Path("FOLDER/stuck").exists():
        raise ValueError("it is stuck")
    records.put(Stuck(name=event.name))

system = System("office", services=[desk])
"""
SQL = """
CREATE TABLE counters (name text PRIMARY KEY, value bigint NOT NULL);
CREATE TABLE shown (name text PRIMARY KEY, value bigint NOT NULL);
CREATE TABLE stuck (name text PRIMARY KEY);
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("office")


@pytest.fixture(scope="module")
def office(folder: Path) -> Iterator[LiveSystem]:
    (folder / "office_with_read_models.py").write_text(SYSTEM.replace("FOLDER", str(folder)))
    (folder / "migrations").mkdir()
    (folder / "migrations" / "001_desk.sql").write_text(SQL)
    try:
        running = start_live(folder, "office_with_read_models:system", folder, "--no-telemetry")
    except HostError as error:
        pytest.skip(f"the real engines cannot run here: {error.message}")
    yield running
    running.stop()


async def run(office: LiveSystem, *arguments: str) -> tuple[int, str, str]:
    result = await asyncio.to_thread(office.run, "projections", *arguments)
    return result.returncode, result.stdout, result.stderr


async def listed(office: LiveSystem) -> dict[str, dict[str, Any]]:
    _, out, _ = await run(office, "list", "--json")
    return {found["name"]: found for found in json.loads(out)}


async def count(office: LiveSystem, *names: str) -> None:
    """Count, and wait until it is shown."""
    total = sum(found["events"] for found in (await listed(office)).values() if found["name"] == "shown") + len(names)
    for name in names:
        assert (await office.post(f"/count/{name}")).status == 204

    async def told() -> bool | None:
        return (await listed(office))["shown"]["events"] == total or None

    await until(told, within=20, what=f"{total} events to be folded")


async def test_the_list_says_how_far_read_models_have_come(office: LiveSystem) -> None:
    await count(office, "a", "a", "b")
    code, out, _ = await run(office, "list")
    assert code == 0
    head, *rows = out.splitlines()
    assert head.split() == [
        "SERVICE",
        "PROJECTION",
        "STATE",
        "EVENTS",
        "BEHIND",
        "WAITING",
        "LAST",
        "EVENT",
        "RECORDS",
        "BUILT",
    ]
    assert rows[0].split()[:5] == ["desk", "shown", "live", str((await listed(office))["shown"]["events"]), "0"]
    assert "2 shown" in rows[0]


async def test_a_difference_is_shown_and_a_rebuild_mends_it(office: LiveSystem) -> None:
    await count(office, "c", "c")
    code, out, _ = await run(office, "rebuild", "shown", "--check")
    assert code == 0
    assert "shown of desk equals its" in out
    assert (await office.post("/spoil/c")).status == 204
    assert (await office.post("/spoil/nobody")).status == 204
    code, out, err = await run(office, "rebuild", "shown", "--check")
    assert code == 1
    assert "shown of desk is not what its events say: 2 records differ" in out
    assert '- {"name":"c","value":-1}\n    + {"name":"c","value":2}' in out
    assert '- {"name":"nobody","value":-1}\n    + no such record' in out
    assert "shoal projections rebuild shown" in err
    code, out, _ = await run(office, "rebuild", "shown", "--check", "--json")
    assert (code, json.loads(out)[0]["same"], json.loads(out)[0]["differing"]) == (1, False, 2)
    code, out, _ = await run(office, "rebuild", "shown")
    assert code == 0
    assert "is rebuilt from" in out
    assert (await run(office, "rebuild", "--all", "--check"))[0] == 0
    assert (await listed(office))["shown"]["generation"] == 2


async def test_a_projection_that_stands_still_is_shown_with_its_reason(office: LiveSystem, folder: Path) -> None:
    (folder / "stuck").touch()
    await count(office, "d")

    async def stalled() -> bool | None:
        return (await listed(office))["stuck"]["state"] == "stalled" or None

    await until(stalled, within=20, what="the projection to stand still")
    code, out, err = await run(office, "list")
    assert code == 1
    assert "stalled" in out
    assert "stuck of desk has failed" in err
    assert "ValueError: it is stuck" in err
    (folder / "stuck").unlink()

    async def goes_on() -> bool | None:
        return (await listed(office))["stuck"]["state"] == "live" or None

    await until(goes_on, within=40, what="the projection to go on by itself")


async def test_what_is_not_there_is_named(office: LiveSystem) -> None:
    code, _, err = await run(office, "rebuild", "nothing")
    assert code == 1
    assert "error: there is no projection 'nothing'\nhint: projections: shown, stuck" in err
    code, _, err = await run(office, "list", "--service", "nobody")
    assert code == 1
    assert "there is no service 'nobody'" in err
    assert (await run(office, "rebuild"))[0] == 2
    assert (await run(office, "rebuild", "shown", "--all"))[0] == 2
