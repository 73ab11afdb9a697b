"""The dashboard on a port of its own, and a page of a browser that reports whatever it may not do."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from shoal.dashboard.collector.application import Collector
from shoal.dashboard.process import application
from shoal.dashboard.server.app import Dashboard
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.store import runs
from shoal.dashboard.store.library import Library
from shoal.dashboard.store.writer import Writer
from tests.dashboard.web.told import Told

TOKEN = "a-token-for-tests"


class Serving:
    """The application over a project, in a thread of its own. `record` begins a run, which takes telemetry."""

    def __init__(self, root: Path, **desk: Any) -> None:
        self.root = root
        self._folder = runs.folder_of(root)
        self.library = Library(self._folder)
        self.desk = Desk(root=root, library=self.library, **desk)
        self._pages = Dashboard(self.desk, TOKEN)
        self._collector: Any = None
        self._writer: Writer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            self._answer, interface="asgi3", lifespan="off", log_config=None, ws="none", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> "Serving":
        self._thread.start()
        return self

    def record(self, key: str = "first", system: str = "shop") -> Writer:
        """Begin a run, and end the one before."""
        if self._writer is not None:
            self._writer.close()
        _, file = runs.begin(self._folder, key)
        self._writer = Writer(file, facts=runs.own_facts(system, key))
        self._collector = Collector(self._writer)
        return self._writer

    def tell(self, told: Told) -> None:
        """Send what was told, and wait until it is written."""
        writer = self._writer or self.record()
        told.send(self.url)
        assert writer.flush()

    @staticmethod
    def until(holds: Callable[[], bool], within: float = 15.0) -> None:
        """Wait for something in the server."""
        deadline = time.monotonic() + within
        while not holds():
            assert time.monotonic() < deadline, "it did not come about"
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()
        if self._writer is not None:
            self._writer.close()
        self.library.close()

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        await application(self._collector, self._pages)(scope, receive, send)

    def news(self, event: str, data: object) -> None:
        """Tell something to all pages that listen."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self.desk.hub.tell, event, data)

    def _run(self) -> None:
        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            await self._server.serve([self._socket])

        asyncio.run(main())


@dataclass
class Guarded:
    """A page of the browser; `troubles` are console errors, requests that leave, and what the policy refused."""

    page: Any
    url: str
    troubles: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    """Words of troubles that a test provokes."""

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
        if said.type in ("error", "warning") and not any(word in said.text for word in self.expected):
            self.troubles.append(said.text)

    def _asked(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.troubles.append(f"left this machine: {request.url}")
