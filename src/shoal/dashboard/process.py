"""The process of the dashboard: takes telemetry and serves the pages, on one port of loopback.

What begins with ``/v1/`` is telemetry, which needs no token; everything else belongs to the pages.
"""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

from shoal.dashboard.beside import say, work_beside
from shoal.dashboard.collector.application import Collector
from shoal.dashboard.collector.calls import LARGEST, methods
from shoal.dashboard.pages import Application, Pages
from shoal.dashboard.server.hub import Hub
from shoal.dashboard.store import runs
from shoal.dashboard.store.library import Library
from shoal.dashboard.store.writer import Writer
from shoal.errors import HostError
from shoal.local import grpc
from shoal.local.dashboard import Settings
from shoal.local.ports import LOOPBACK, check_port
from shoal.runtime.request import Receive, Scope, Send
from shoal.runtime.server import serve as serve_http

_TELEMETRY = "/v1/"
_HEALTH = "/health"
_DRAIN = 2.0


def application(collector: Application, pages: Application) -> Application:
    """Join both: telemetry by its paths, the rest to the pages; ``/health`` answers before they are there."""

    async def both(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(_TELEMETRY):
            await collector(scope, receive, send)
        elif scope["path"] == _HEALTH:
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
            )
            await send({"type": "http.response.body", "body": b'{"status":"alive"}'})
        else:
            await pages(scope, receive, send)

    return both


async def serve(settings: Settings) -> None:
    """Take telemetry and serve pages until SIGTERM or SIGINT.

    Raises:
        HostError: A port is busy, or the folder of runs cannot be made.
        Damaged: The file of this run is none of ours.
    """
    folder = Path(settings.folder)
    sockets = [listening(port) for port in (settings.port, *settings.ports)]
    number, file = runs.begin(folder, settings.key)
    writer = Writer(file, largest=settings.largest, say=say, facts=runs.own_facts(settings.system, settings.key))
    collector, library, hub = Collector(writer), Library(folder), Hub()
    pages = Pages(settings, library, hub)
    background: list[asyncio.Task[object]] = []

    def started() -> None:
        say(f"run {number}: takes telemetry and serves pages at http://{LOOPBACK}:{settings.port}")
        background.append(asyncio.create_task(work_beside(settings, writer)))
        background.append(asyncio.create_task(pages.made()))

    try:
        await _calls(settings, collector)
        both = application(collector, pages)
        await serve_http(both, "", drain=_DRAIN, started=started, leaving=lambda: None, sockets=sockets)
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        library.close()
        writer.close()


async def show(settings: Settings, started: Callable[[], None]) -> None:
    """Serve pages over what was recorded, and take nothing, until SIGTERM or SIGINT.

    Raises:
        HostError: The port is busy.
    """
    library = Library(Path(settings.folder))
    try:
        await serve_http(
            Pages(settings, library, Hub()), "", drain=_DRAIN, leaving=lambda: None,
            sockets=[listening(settings.port)], started=started,
        )  # fmt: skip
    finally:
        library.close()


async def _calls(settings: Settings, collector: Collector) -> None:
    """Take telemetry over gRPC, where a port is given; it ends with the process."""
    if not settings.grpc:
        return
    try:
        await grpc.serve((LOOPBACK, settings.grpc), methods(collector), largest=LARGEST)
    except OSError as error:
        raise HostError(f"cannot listen on port {settings.grpc}: {error}", hint="choose another --grpc-port") from error


def listening(port: int) -> socket.socket:
    """Listen on a port of loopback; raises `HostError` when it is busy."""
    check_port(port)
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((LOOPBACK, port))
    except OSError as error:
        raise HostError(
            f"cannot listen on port {port}: {error.strerror or error}", hint="choose another --port"
        ) from error
    return found
