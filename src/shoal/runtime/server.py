"""Serve an application on a socket until told to stop; the only file that knows the HTTP server."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

import uvicorn

from shoal.errors import SettingsError
from shoal.runtime.request import Application

PULSE = 20.0
"""Seconds between two pings to the client of a WebSocket, and in which it must answer one."""


class _Server(uvicorn.Server):
    """Leaves signals to `serve`, which has more to do at the end than the server knows."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()

    def leave(self) -> None:
        """Stop accepting, finish what is in progress, return."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    application: Application,
    listen: str,
    *,
    drain: float,
    started: Callable[[], None],
    leaving: Callable[[], None],
    message: int = 0,
    sockets: Sequence[socket.socket] = (),
) -> None:
    """Serve until SIGTERM or SIGINT; then finish requests in progress within `drain` seconds.

    Args:
        application: What to serve.
        listen: ``unix:/path`` or ``tcp:HOST:PORT``.
        drain: Seconds.
        started: Called once the socket is open.
        leaving: Called when it is told to stop, before requests in progress are waited for.
        message: Bytes of the largest message of a WebSocket; 0 where none are served.
        sockets: Open ones to serve on instead; `listen` is not looked at then.
    """
    server = _Server(_configuration(application, listen, drain, message), started)
    loop = asyncio.get_running_loop()

    def leave() -> None:
        server.leave()
        leaving()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leave)
    await server.serve([*sockets] or None)


def _configuration(application: Application, listen: str, drain: float, message: int = 0) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        **(_address(listen) if listen else {}),
        loop="none",
        http="httptools",
        ws=_sockets() if message else "none",
        ws_max_size=message,
        ws_ping_interval=PULSE,
        ws_ping_timeout=PULSE,
        ws_per_message_deflate=False,  # a small message could unfold into a large one
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=max(1, round(drain)),
    )


def _sockets() -> type[asyncio.Protocol]:
    from uvicorn.protocols.websockets.websockets_sansio_impl import (  # noqa: PLC0415 - only who has sockets pays for it
        WebSocketsSansIOProtocol,
    )

    class Sockets(WebSocketsSansIOProtocol):
        """Leaves the end of a conversation to its application, which knows when its last message was said."""

        def shutdown(self) -> None:
            if not self.handshake_complete or self.close_sent:
                super().shutdown()

    return Sockets


class _Address(TypedDict, total=False):
    uds: str
    host: str
    port: int


def _address(listen: str) -> _Address:
    kind, _, rest = listen.partition(":")
    if kind == "unix" and rest:
        Path(rest).unlink(missing_ok=True)
        return {"uds": rest}
    host, _, port = rest.rpartition(":")
    if kind == "tcp" and host and port.isdigit():
        return {"host": host, "port": int(port)}
    raise SettingsError(f"cannot listen on {listen!r}", hint="use unix:/path or tcp:127.0.0.1:8000")
