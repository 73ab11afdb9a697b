"""A server over a prepared project, and a browser that reports whatever a page may not do."""

import asyncio
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn

from shoal.dashboard.server.app import Dashboard
from shoal.dashboard.server.desk import Desk

TOKEN = "a-token-for-tests"

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


class Empty:
    """A project in which nothing was recorded."""

    def runs(self) -> Any:
        return {"items": []}

    def reader(self, number: int) -> Any:
        raise AssertionError(number)


class Serving:
    """The application on a port of its own, in a thread of its own."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            Dashboard(desk, TOKEN), lifespan="off", log_config=None, ws="none", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> "Serving":
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve([self._socket]))


@dataclass
class Guarded:
    """A page of the browser; `troubles` are console errors, requests that leave, and what the policy refused."""

    page: Any
    url: str
    troubles: list[str] = field(default_factory=list)

    def open(self, path: str) -> Any:
        """Go to a path of the dashboard and wait until its page is drawn."""
        self.page.goto(self.url + path)
        self.page.wait_for_selector("main h1")
        return self.page

    def watch(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", self._asked)
        self.page.add_init_script(
            "document.addEventListener('securitypolicyviolation', e => console.error('policy: ' + e.violatedDirective))"
        )

    def _said(self, said: Any) -> None:
        if said.type in ("error", "warning"):
            self.troubles.append(said.text)

    def _asked(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.troubles.append(f"left this machine: {request.url}")


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[Desk], Serving]]:
    """Serve a desk until the module's tests are done."""
    running: list[Serving] = []

    def start(desk: Desk) -> Serving:
        running.append(Serving(desk).start())
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture(scope="module")
def empty(serve: Callable[[Desk], Serving], tmp_path_factory: pytest.TempPathFactory) -> Serving:
    """Serve a project in which nothing ever ran."""
    return serve(Desk(root=tmp_path_factory.mktemp("empty"), library=Empty()))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start the Chromium of this machine; its tests are skipped, by name, where there is none."""
    program = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if program is None:
        pytest.skip("there is no Chromium on this machine (Debian: apt install chromium)")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as tool:
        started = tool.chromium.launch(executable_path=program, args=_ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Guarded]]:
    """Open pages as the owner who came with the link; afterwards nothing may have gone wrong in them."""
    opened: list[tuple[Any, Guarded]] = []

    def come(to: Serving, **options: Any) -> Guarded:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
        guarded = Guarded(page=context.new_page(), url=to.url)
        guarded.watch()
        opened.append((context, guarded))
        guarded.page.goto(f"{to.url}/resources?token={TOKEN}")
        return guarded

    yield come
    troubles = [trouble for _, guarded in opened for trouble in guarded.troubles]
    for context, _ in opened:
        context.close()
    assert troubles == []
