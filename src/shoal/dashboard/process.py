"""The process of the dashboard: takes telemetry and serves the pages, on one port of loopback.

What begins with ``/v1/`` is telemetry, which needs no token; everything else belongs to the pages.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from shoal.dashboard.collector.application import Collector
from shoal.dashboard.collector.calls import LARGEST, methods
from shoal.dashboard.collector.following import follow
from shoal.dashboard.collector.gateway import Gateway
from shoal.dashboard.notices.watch import watch
from shoal.dashboard.scrape.rounds import keep_asking
from shoal.dashboard.scrape.sources import sources
from shoal.dashboard.server.app import Dashboard
from shoal.dashboard.server.desk import Desk
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

Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_TELEMETRY = "/v1/"
_DRAIN = 2.0


def application(collector: Application, pages: Application) -> Application:
    """Join both: telemetry by its paths, the rest to the pages."""

    async def both(scope: Scope, receive: Receive, send: Send) -> None:
        taken = scope["type"] == "http" and scope["path"].startswith(_TELEMETRY)
        await (collector if taken else pages)(scope, receive, send)

    return both


async def nothing(_: Scope, __: Receive, send: Send) -> None:
    """Answer for pages that are not there."""
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"there are no pages here\n"})


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
    collector, library = Collector(writer), Library(folder)
    hub = Hub()
    pages = _pages(settings, library, hub)
    background = asyncio.gather(_gateway(settings, writer), _notices(settings, writer, hub), _engines(settings, writer))
    background.add_done_callback(_told)
    try:
        await _calls(settings, collector)
        await serve_http(
            application(collector, pages), "", drain=_DRAIN, leaving=lambda: None, sockets=sockets,
            started=lambda: say(f"run {number}: takes telemetry and serves pages at http://{LOOPBACK}:{settings.port}"),
        )  # fmt: skip
    finally:
        background.cancel()
        await asyncio.gather(background, return_exceptions=True)
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
            _pages(settings, library, Hub()), "", drain=_DRAIN, leaving=lambda: None,
            sockets=[listening(settings.port)], started=started,
        )  # fmt: skip
    finally:
        library.close()


def _told(background: "asyncio.Future[tuple[None, None, None]]") -> None:
    """Say what ended what is done beside serving; telemetry is taken all the same."""
    error = None if background.cancelled() else background.exception()
    if error is not None and not isinstance(error, asyncio.CancelledError):
        say(f"what is measured besides has ended: {type(error).__name__}: {error}")


async def _calls(settings: Settings, collector: Collector) -> None:
    """Take telemetry over gRPC, where a port is given; it ends with the process."""
    if not settings.grpc:
        return
    try:
        await grpc.serve((LOOPBACK, settings.grpc), methods(collector), largest=LARGEST)
    except OSError as error:
        raise HostError(f"cannot listen on port {settings.grpc}: {error}", hint="choose another --grpc-port") from error


async def _gateway(settings: Settings, writer: Writer) -> None:
    """Turn the gateway's access log into spans, where there is one."""
    if settings.access:
        since = float(runs.facts(writer.file)["started"])
        spans = Gateway(writer, settings.system, Path(settings.routes), since)
        await follow(Path(settings.access), spans.take)


async def _notices(settings: Settings, writer: Writer, hub: Hub) -> None:
    """Notice what somebody should hear of, while a system is watched."""
    if settings.system:
        await watch(writer.file, writer, say, lambda notice: hub.tell("notice", notice))


async def _engines(settings: Settings, writer: Writer) -> None:
    """Ask the engines of the run what they measure of themselves."""
    if settings.system:
        await keep_asking(lambda: sources(Path(settings.root)), writer, say)


def _pages(settings: Settings, library: Library, hub: Hub) -> Application:
    """Make the pages, for who has the token; without one there are none."""
    if not settings.token:
        return nothing
    token = Path(settings.token).read_text("utf-8").strip()
    return Dashboard(Desk(root=Path(settings.root), library=library, hub=hub, system=settings.entry), token)


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


def say(text: str) -> None:
    """Write into the log."""
    print(text, flush=True)  # noqa: T201 - its log
