"""``shoal dlq`` on a running system: letters are seen, corrected, tried out, sent again and thrown away."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shoal.audit.standing import site_of
from shoal.drivers import broker_admin
from shoal.errors import HostError
from shoal.local.environment import operator_url
from shoal.runtime.consuming.graves import graves
from shoal.testing import LiveSystem
from shoal.testing.live import start_live
from tests.live.shopping import until

pytestmark = pytest.mark.live

SYSTEM = """
from pathlib import Path
import msgspec
from shoal import Postgres, Service, System, Transaction, anyone, event, record

@event("shop.sold", key="item")
class Sold(msgspec.Struct, frozen=True):
    item: str
    number: int

@record("notes", key="item")
class Note(msgspec.Struct, frozen=True, kw_only=True):
    item: str
    number: int

shop = Service("shop", store=Postgres(migrations="tables"), publishes=[Sold])
notes = Service("notes", store=Postgres(migrations="tables"))

@shop.post("/sales", status=202, access=anyone)
async def sell(sold: Sold, tx: Transaction) -> None:
    tx.publish(sold)

@notes.on(Sold, attempts=2, backoff=0.01)
async def note(event: Sold, tx: Transaction) -> None:
    tx.put(Note(item=event.item, number=event.number))
    if (Path("FOLDER") / event.item).exists():
        raise ValueError(f"{event.item} is blocked")

@notes.get("/notes/{item}", access=anyone)
async def show(item: str, tx: Transaction) -> Note:
    return await tx.require(Note, item)

system = System("letters", services=[shop, notes])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("blocked")


@pytest.fixture(scope="module")
def live(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    project = tmp_path_factory.mktemp("letters")
    (project / "letters_system.py").write_text(SYSTEM.replace("FOLDER", str(folder)))
    (project / "tables").mkdir()
    (project / "tables" / "001_notes.sql").write_text("create table notes (item text primary key, number integer);")
    try:
        running = start_live(project, "letters_system:system", tmp_path_factory.mktemp("run"), "--no-telemetry")
    except HostError as error:
        pytest.skip(f"the real engines cannot run here: {error.message}")
    yield running
    running.stop()


def run(live: LiveSystem, *words: str) -> tuple[int, str, str]:
    done = live.run("dlq", *words)
    return done.returncode, done.stdout, done.stderr


async def letter(live: LiveSystem, item: str, *, again: int = 0) -> dict[str, Any]:
    """Wait for the dead letter of an item."""
    broker = broker_admin(operator_url(site_of(live.plan, live.root).world))

    async def there() -> bool | None:
        found = [g.letter for g in await graves(broker, live.plan.system.name, "notes")]
        return any(one.key == item and one.again == again for one in found) or None

    await until(there, within=30, what=f"the letter of {item}")
    found = json.loads((await asyncio.to_thread(run, live, "list", "--service", "notes", "--json"))[1])
    return next(one for one in found if one["key"] == item)


async def bury(live: LiveSystem, folder: Path, item: str, number: int = 1) -> dict[str, Any]:
    """Let the event of an item become a dead letter, and its cause go away."""
    block = folder / item
    block.touch()
    assert (await live.post("/sales", json={"item": item, "number": number})).status == 202
    found = await letter(live, item)
    block.unlink()
    return found


async def noted(live: LiveSystem, item: str) -> int:
    async def there() -> int | None:
        answer = await live.get(f"/notes/{item}")
        return int(answer.json()["number"]) if answer.status == 200 else None

    return await until(there, within=30, what=f"the note of {item}")


async def test_a_letter_is_listed_shown_tried_out_and_sent_again(live: LiveSystem, folder: Path) -> None:
    found = await bury(live, folder, "ada", 7)
    id_ = found["id"]
    code, out, _ = run(live, "list")
    assert code == 1
    assert re.search(rf"{id_}\s+shop.sold.v1\s+ada\s+\S+\s+2\s+ValueError: ada is blocked", out), out
    code, out, _ = run(live, "show", id_)
    assert code == 0
    for part in ("ValueError: ada is blocked", '"number": 7', "letters_system.py", "LETTERS_SHOP", "replica 0"):
        assert part in out
    code, out, err = run(live, "replay", id_, "--dry-run")
    assert (code, "note would succeed" in out, "inserts notes ada" in out) == (0, True, True), out + err
    assert (await live.get("/notes/ada")).status == 404
    (folder / "ada").touch()
    code, out, _ = run(live, "replay", "--all", "--dry-run")
    assert code == 1
    assert re.search(r"note would fail: ValueError: ada is blocked\n  at .*letters_system.py:\d+", out), out
    (folder / "ada").unlink()
    code, _, err = run(live, "replay", id_)
    assert (code, "1 sent again" in err) == (0, True)
    assert await noted(live, "ada") == 7
    assert run(live, "list")[0] == 0


async def test_a_letter_is_corrected_before_it_is_sent(live: LiveSystem, folder: Path, tmp_path: Path) -> None:
    id_ = (await bury(live, folder, "bob"))["id"]
    code, _, err = run(live, "edit", id_, "--data", '{"item": "bob", "number": "many"}')
    assert (code, "Expected `int`, got `str`" in err, "stays as it was" in err) == (1, True, True), err
    correction = tmp_path / "correction.json"
    correction.write_text('{"item": "bob", "number": 8}')
    code, _, err = run(live, "edit", id_, "--file", str(correction))
    assert code == 0, err
    (now,) = re.findall(r"is (notes-\d+) now", err)
    shown = json.loads(run(live, "show", now, "-o", "json")[1])
    assert (shown["edited"], shown["data"]) == (True, {"item": "bob", "number": 8})
    assert run(live, "show", id_)[0] == 1
    assert run(live, "replay", now)[0] == 0
    assert await noted(live, "bob") == 8


async def test_what_fails_again_comes_back_and_what_is_thrown_away_does_not(live: LiveSystem, folder: Path) -> None:
    id_ = (await bury(live, folder, "eve"))["id"]
    (folder / "eve").touch()
    assert run(live, "replay", id_)[0] == 0
    back = await letter(live, "eve", again=1)
    assert len(back["history"]) == 4
    code, _, err = run(live, "purge", back["id"], "--yes")
    assert (code, "1 thrown away" in err) == (0, True)
    assert run(live, "list", "--service", "notes")[0] == 0
    (folder / "eve").unlink()


def test_what_is_not_there_or_not_named_is_said(live: LiveSystem) -> None:
    code, _, err = run(live, "show", "notes-999")
    assert (code, "there is no dead letter notes-999" in err, "hint: see `shoal dlq list`" in err) == (1, True, True)
    code, _, err = run(live, "show", "nobody-1")
    assert (code, "there is no dead letter nobody-1" in err) == (1, True)
    code, _, err = run(live, "replay")
    assert (code, "or say --all" in err) == (2, True)
    code, _, err = run(live, "list", "--service", "nobody")
    assert (code, "there is no service 'nobody'" in err) == (1, True)
