"""A person helps sagas from their page: one is undone, another goes on, and both are noted."""

import asyncio
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from shoal.errors import HostError
from shoal.testing import LiveSystem
from shoal.testing.live import start_live
from tests.dashboard.live.acting import Pages
from tests.dashboard.web.owner import owner

pytestmark = pytest.mark.live

ERRANDS = '''
"""Errands that wait for a person."""

from pathlib import Path

import msgspec

from shoal import Postgres, Saga, Service, System, Transaction, anyone, pivot, step

errands = Service("errands", store=Postgres())


class Terminal:
    """Takes money, and does not say whether it did."""

    def pay(self) -> None:
        if not Path(FOLDER, "terminal").exists():
            raise ValueError("the terminal is silent")


@errands.provide
def terminal() -> Terminal:
    return Terminal()


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    paid: int = 0


@errands.saga("run-errand", timeout=3600)
class RunErrand(Saga[Errand]):
    """An errand."""

    async def come_back(self, state: Errand, tx: Transaction) -> None:
        """Return."""

    @step(compensate=come_back)
    async def leave(self, state: Errand, tx: Transaction) -> None:
        """Go."""

    @pivot(attempts=1)
    async def pay(self, state: Errand, terminal: Terminal) -> Errand:
        """Pay."""
        terminal.pay()
        return msgspec.structs.replace(state, paid=7)


@errands.post("/errands/{name}", status=202, access=anyone)
async def run(name: str, tx: Transaction) -> None:
    await tx.start(RunErrand, Errand(name=name), key=name)


system = System("errandry", services=[errands])
'''


@pytest.fixture(scope="module")
def errandry() -> Iterator[LiveSystem]:
    with tempfile.TemporaryDirectory(prefix="sh-") as folder:
        Path(folder, "errandry.py").write_text(ERRANDS.replace("FOLDER", repr(folder)), "utf-8")
        try:
            running = start_live(Path(folder), "errandry:system", Path(folder), "--one-process")
        except HostError as error:
            pytest.skip(f"the real engines cannot run here: {error.message}")
        yield running
        running.stop()


def asked(errandry: LiveSystem, path: str) -> Any:
    """Ask the dashboard, from another thread: the loop of this one is the browser's."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, Pages(errandry).get(path)).result()


def parked(errandry: LiveSystem, page: Any, name: str) -> str:
    """Start a saga, and wait on its page until it waits for somebody; return its id."""
    with ThreadPoolExecutor(1) as pool:  # the loop of this thread is the browser's
        answer = pool.submit(asyncio.run, errandry.post(f"/errands/{name}")).result()
    assert answer.status == 202, answer.body
    page.goto(f"{errandry.process('dashboard').address}/sagas?saga={name}")
    page.wait_for_selector("aside .badge:has-text('parked')")
    return str(page.inner_text("aside h2"))


def test_sagas_are_undone_and_go_on_from_their_page(errandry: LiveSystem, browser: Any) -> None:
    with owner(errandry, browser, expected=("409",)) as guarded:
        page: Any = guarded.page
        undone = parked(errandry, page, "bread")
        page.click("aside button:has-text('Compensate')")
        page.click("dialog button:has-text('Yes')")
        page.wait_for_selector("aside .trouble:has-text('nobody knows whether that happened')")
        page.click("aside button:has-text('Compensate anyway')")
        assert page.is_disabled("dialog button:has-text('Yes')"), "its name must be typed first"
        page.fill("dialog input", undone)
        page.keyboard.press("Enter")
        page.wait_for_selector("aside .badge:text-is('compensated')")
        page.wait_for_selector("[aria-label='Every attempt'] >> text=undo leave")
        going = parked(errandry, page, "milk")
        (errandry.root / "terminal").touch()
        page.click("aside button:has-text('Retry')")
        page.wait_for_selector("aside .badge:text-is('completed')")
        last = "[aria-label='Every attempt'] > li >> nth=-1"
        page.click(f"{last} >> summary")
        known = page.inner_text(last)
        assert '"paid": 0' in known.partition("Output")[0]
        assert '"paid": 7' in known.partition("Output")[2]
        page.goto(f"{guarded.url}/actions")
        page.wait_for_selector(f".rows .row:has-text('compensate saga'):has-text('{undone}'):has-text('force')")
        page.wait_for_selector(f".rows .row:has-text('retry saga'):has-text('{going}'):has-text('done')")
        refused = page.inner_text(".rows .row:has-text('refused')")
        assert "nobody knows" in refused
    latest = asked(errandry, "/api/sagas?limit=1")
    assert ([one["key"] for one in latest["items"]], latest["more"]) == (["milk"], True)
    assert (latest["counts"]["completed"], latest["counts"]["compensated"]) == (1, 1), "all are counted, one is shown"
    undone_ones = asked(errandry, "/api/sagas?state=compensated&limit=1")
    assert ([one["key"] for one in undone_ones["items"]], undone_ones["more"]) == (["bread"], False)
