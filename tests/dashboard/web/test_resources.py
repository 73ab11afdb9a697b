"""Resources in a real browser: the state of a run whose supervisor is this test."""

import asyncio
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shoal.errors import EngineError
from shoal.local import control, reaper
from shoal.local.state import ProcessState, RunState, read_state, write_state
from tests.dashboard.web.serving import Guarded, Serving

Visit = Callable[..., Guarded]


class Supervisor:
    """Takes wishes on the socket of a run, and notes them."""

    def __init__(self, root: Path, runtime: Path) -> None:
        self.root, self.wishes = root, list[tuple[str, dict[str, Any]]]()
        self._place = control.socket_of(runtime)
        self._place.parent.mkdir(parents=True)
        own: dict[str, Any] = {"pid": os.getpid(), "born": reaper.born(os.getpid())}
        processes = (
            ProcessState(name="postgres", kind="engine", status="ready", address="tcp:127.0.0.1:5432", **own),
            ProcessState(name="orders-0", kind="service", service="orders", status="ready", restarts=2, **own),
            ProcessState(name="mail-0", kind="service", service="mail", status="failed", reason="exited with code 1"),
        )
        write_state(root, RunState(
            system="shop", root=str(root), shape="processes", status="ready", started_at="2026-01-01T00:00:00+00:00",
            gateway="http://127.0.0.1:8000", runtime=str(runtime), processes=processes, **own,
        ))  # fmt: skip
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        names = ("process.stop", "process.start", "process.restart", "process.show", "service.scale")
        handlers = {name: self._handler(name) for name in names}
        self._server = asyncio.run_coroutine_threadsafe(control.serve(self._place, handlers), self._loop).result(5)

    def change(self, name: str, **changes: Any) -> None:
        """Write another state of a process."""
        state = read_state(self.root)
        assert state is not None
        processes = tuple(msgspec.structs.replace(p, **changes) if p.name == name else p for p in state.processes)
        write_state(self.root, msgspec.structs.replace(state, processes=processes))

    def stop(self) -> None:
        async def close() -> None:
            self._server.close()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _handler(self, name: str) -> control.Handler:
        async def take(values: Mapping[str, Any]) -> object:
            self.wishes.append((name, dict(values)))
            if name == "process.show":
                return {
                    "argv": ["python", "-m", "x"],
                    "folder": "/a b",
                    "environment": {"MODE": "x", "PASSWORD": "***"},
                }
            if values.get("name") == "mail-0":
                raise EngineError("mail-0 exited with code 1 before it was ready", hint="its whole log: mail-0.log")
            return {}

        return take


@pytest.fixture
def supervisor(serve: Callable[..., Serving], tmp_path: Path) -> Iterator[tuple[Serving, Supervisor]]:
    made = Supervisor(tmp_path, tmp_path / "run")
    yield serve(tmp_path), made
    made.stop()


def test_processes_are_listed_as_they_are(supervisor: tuple[Serving, Supervisor], visit: Visit) -> None:
    page = visit(supervisor[0]).open("/resources")
    page.wait_for_selector(".rows >> text=orders-0")
    line = page.inner_text(".rows .row:has-text('orders-0')")
    assert "ready" in line
    assert re.search(r"\d [MG]B", line)
    page.fill("input[data-search]", "failed")
    page.wait_for_selector(".rows >> text=orders-0", state="detached")
    assert "exited with code 1" in page.inner_text(".rows")


def test_a_change_is_seen_at_once(supervisor: tuple[Serving, Supervisor], visit: Visit) -> None:
    page = visit(supervisor[0]).open("/resources")
    page.wait_for_selector(".rows >> text=postgres")
    page.wait_for_selector("header .badge:has-text('live')")
    supervisor[1].change("postgres", status="restarting", reason="was killed by SIGKILL")
    page.wait_for_selector(".rows >> text=was killed by SIGKILL")


def test_processes_are_stopped_started_and_scaled(supervisor: tuple[Serving, Supervisor], visit: Visit) -> None:
    page = visit(supervisor[0]).open("/resources?process=orders-0")
    page.click("aside >> text=Stop")
    page.click("dialog >> text=No")
    page.click("aside >> text=Restart")
    page.wait_for_selector("text=orders-0 restarted")
    page.click("aside >> text=Stop")
    page.click("dialog >> text=Yes")
    page.wait_for_selector("text=orders-0 stopped")
    page.click("[aria-label='One replica more']")
    page.wait_for_selector("text=orders has 2 replicas")
    assert supervisor[1].wishes == [
        ("process.restart", {"name": "orders-0"}),
        ("process.stop", {"name": "orders-0"}),
        ("service.scale", {"service": "orders", "replicas": 2}),
    ]


def test_what_cannot_be_started_says_why(supervisor: tuple[Serving, Supervisor], visit: Visit) -> None:
    page = visit(supervisor[0], expected=("409", "503")).open("/resources?process=mail-0")
    page.click("aside >> text=Start")
    page.wait_for_selector("aside .trouble")
    assert "mail-0.log" in page.inner_text("aside .trouble")


def test_the_environment_is_shown_without_secrets(supervisor: tuple[Serving, Supervisor], visit: Visit) -> None:
    guarded = visit(supervisor[0], permissions=["clipboard-read", "clipboard-write"])
    page = guarded.open("/resources?process=orders-0")
    page.click("text=Show command and environment")
    page.wait_for_selector("text=python -m x")
    page.click("text=Copy line that opens a terminal")
    page.wait_for_selector("text=Line copied")
    assert page.evaluate("navigator.clipboard.readText()") == "cd '/a b' && env MODE=x $SHELL"
    page.reload()
    page.wait_for_selector("text=python -m x")
