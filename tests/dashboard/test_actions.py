"""What people did to a running system: noted with its outcome, found again, handed on with its run."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from shoal.cli.program import shoal
from shoal.dashboard.server import acting
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Asked, Route
from shoal.dashboard.server.routes import TOPICS
from shoal.dashboard.store import actions as store
from shoal.dashboard.store import portable, runs
from shoal.dashboard.store.library import Library
from shoal.dashboard.store.reading import database
from shoal.dashboard.store.reading.actions import ActionQuery, Actions, actions
from shoal.dashboard.store.reading.database import Unanswerable
from shoal.dashboard.store.writer import Writer
from shoal.errors import EngineError, HostError, ShoalError
from shoal.telemetry.masking import MASK

LOOKS = {"/api/explorer/code", "/api/letters/try"}
"""What is posted and changes nothing."""


class Named(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    secret: str = ""
    dry: bool = False
    everything: bool = False


async def _stop(_: Desk, asked: Named) -> object:
    if asked.name == "nobody":
        raise ShoalError("there is no process nobody", hint="shoal ps")
    if asked.name == "away":
        raise HostError("the running system does not answer")
    return {}


STOP = Route(
    method="POST", path="/api/x/{name}", asked=Named, answer=_stop, does="stop process", told=("name", "everything")
)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """Begin a run of a project, which goes on."""
    _, file = runs.begin(runs.folder_of(tmp_path), "key")
    writer = Writer(file, facts=runs.own_facts("shop", "key"))
    yield file
    writer.close()


def found(file: Path, **wanted: Any) -> Actions:
    with database(file) as opened:
        return actions(opened, ActionQuery(**wanted))


def act(file: Path, does: str, on: str) -> None:
    with store.acting(file, "shell", does, on):
        pass


def test_everything_that_is_posted_is_noted_or_known_to_change_nothing() -> None:
    posted = [route for routes in TOPICS for route in routes if route.method == "POST"]
    assert {route.path for route in posted if not route.does} == LOOKS
    for route in posted:
        assert set(route.told) <= set(route.asked.__struct_fields__), route.path


async def test_what_a_page_does_is_noted_with_its_outcome_and_not_what_is_put_into_it(
    tmp_path: Path, file: Path
) -> None:
    desk = Desk(root=tmp_path, library=Library(runs.folder_of(tmp_path)))
    await acting.answered(desk, STOP, Named(name="orders-0", secret="canary", everything=True))
    await acting.answered(desk, STOP, Named(name="orders-0", dry=True))
    for name in ("nobody", "away"):
        with pytest.raises(ShoalError):
            await acting.answered(desk, STOP, Named(name=name))
    away, nobody, done = found(file).items
    assert (done.does, done.on, done.outcome, done.by) == ("stop process", "orders-0 everything", "done", "page")
    assert done.who == store.whoever()
    assert (nobody.outcome, nobody.error) == ("refused", "there is no process nobody")
    assert away.outcome == "failed"
    assert "canary" not in repr(found(file))


async def test_an_action_that_somebody_no_longer_waits_for_is_noted(tmp_path: Path, file: Path) -> None:
    begun = asyncio.Event()

    async def for_ever(_: Desk, __: Named) -> object:
        begun.set()
        return await asyncio.Event().wait()

    route = Route(method="POST", path="/api/x/{name}", asked=Named, answer=for_ever, does="wait", told=("name",))
    desk = Desk(root=tmp_path, library=Library(runs.folder_of(tmp_path)))
    task = asyncio.create_task(acting.answered(desk, route, Named(name="a")))
    await begun.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert [one.outcome for one in found(file).items] == ["failed"]


def test_they_are_found_by_words_page_after_page(file: Path) -> None:
    for number in range(5):
        act(file, "purge letters", f"payments-{number}")
    with pytest.raises(ShoalError), store.acting(file, "shell", "retry saga", "ord_7"):
        raise ShoalError("there is no saga ord_7")
    first = found(file, text="PURGE", limit=2)
    assert [one.on for one in first.items] == ["payments-4", "payments-3"]
    assert first.next is not None
    second = found(file, text="purge", limit=3, cursor=first.next)
    assert ([one.on for one in second.items], second.next) == (["payments-2", "payments-1", "payments-0"], None)
    assert [one.on for one in found(file, bad=True).items] == ["ord_7"]
    assert found(file, until=first.items[0].at - 1e6).items == []
    with pytest.raises(Unanswerable):
        found(file, cursor="x")


def test_secrets_are_masked_and_there_is_a_bound(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "KEPT", 3)
    monkeypatch.setattr(MASK, "hide", lambda _, text: text.replace("c4n4ry", "***"))
    for number in range(5):
        act(file, "publish event", f"c4n4ry {number} {'x' * 1000}")
    kept = found(file).items
    assert [one.on[:5] for one in kept] == ["*** 4", "*** 3", "*** 2"]
    assert all(len(one.on) == store.LONGEST for one in kept)


def test_what_an_engine_said_is_left_out_for_it_may_quote_values(file: Path) -> None:
    engine = EngineError("PostgreSQL failed: invalid input syntax for type integer: 'c4n4ry'")
    with pytest.raises(ShoalError), store.acting(file, "page", "ask store", "tasks"):
        raise ShoalError(f"tasks does not answer that: {engine.message}") from engine
    with pytest.raises(ValueError, match="c4n4ry"), store.acting(file, "page", "publish event", "tasks.finished.v1"):
        raise ValueError("c4n4ry")
    assert [one.error for one in found(file).items] == ["ValueError", "tasks does not answer that"]


def test_they_are_handed_on_with_their_run(file: Path, tmp_path: Path) -> None:
    act(file, "stop process", "orders-0")
    portable.export(file, tmp_path / "run.shoal")
    number = portable.take(tmp_path / "run.shoal", tmp_path / "theirs")
    assert [one.on for one in found(runs.file_of(tmp_path / "theirs", number)).items] == ["orders-0"]


def test_the_command_notes_what_it_does_and_shows_it(tmp_path: Path, file: Path) -> None:
    def run(*words: str) -> Any:
        return CliRunner().invoke(shoal, ["-C", str(tmp_path), *words])

    assert "nobody did anything" in run("actions").output
    failed = run("fault", "add", "orders:payments", "--abort", "503")
    assert isinstance(failed.exception, ShoalError), "nothing runs here"
    assert run("fault", "list").exception is not None, "which only looks"
    (told,) = json.loads(run("actions", "-o", "json").output)["items"]
    assert (told["does"], told["on"], told["by"]) == ("inject fault", "orders:payments 503 100.0", "shell")
    assert (told["outcome"] != "done", bool(told["error"])) == (True, True)
    assert "inject fault" in run("actions", "--bad", "--find", "payments").output
    assert found(file, text="inject").items[0].who in run("actions").output


def test_where_nothing_is_recorded_nothing_is_noted_and_the_action_goes_on(tmp_path: Path) -> None:
    assert store.place(runs.folder_of(tmp_path)) is None
    _, ended = runs.begin(runs.folder_of(tmp_path), "key")
    Writer(ended, facts=runs.own_facts("shop", "key")).close()
    assert store.place(runs.folder_of(tmp_path)) is None, "a run that is over has no more actions"


def test_an_action_that_cannot_be_noted_is_told(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="cannot be noted"):
        act(tmp_path / "none" / "run.db", "stop process", "orders-0")
