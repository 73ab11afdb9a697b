"""Take copies of requests and compare both sides' answers, a few at a time; nobody waits for that."""

import contextlib
import http.client
import queue
import re
import signal
import socketserver
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import msgspec

from shoal.local.parity.record import Example, Record
from shoal.local.parity.sides import Copy, differences
from shoal.model.parity import masked_target

WAITING = 200
"""Copies that may wait; further ones are counted and forgotten."""

WORKERS = 4
_LARGEST = 8 * 1024 * 1024


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One route that is compared."""

    name: str
    method: str
    expression: str
    """Regular expression of the path."""
    ignore: tuple[str, ...] = ()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the process is told."""

    listen: str
    """Socket on which copies arrive."""
    ask: str
    """Socket through which both sides are asked."""
    record: str
    routes: tuple[Compared, ...]


class Comparing:
    """Compares what it is given, in threads of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._record = settings, Record(Path(settings.record))
        self._waiting: queue.Queue[Copy] = queue.Queue(WAITING)
        for _ in range(WORKERS):
            threading.Thread(target=self._work, daemon=True).start()

    def take(self, method: str, target: str, headers: dict[str, str], body: bytes) -> None:
        """Take one copy; what belongs to no route is forgotten."""
        path = target.partition("?")[0]
        for route in self._settings.routes:
            if route.method == method and re.fullmatch(route.expression, path):
                copy = Copy(
                    route=route.name, method=method, target=target, headers=headers, body=body, ignore=route.ignore
                )
                try:
                    self._waiting.put_nowait(copy)
                except queue.Full:
                    self._record.skipped(route.name)
                return

    def close(self) -> None:
        """Let the record be complete; what still waits is forgotten."""
        self._record.close()

    def _work(self) -> None:
        while True:
            copy = self._waiting.get()
            try:
                found = differences(Path(self._settings.ask), copy)
            except (OSError, http.client.HTTPException):
                self._record.unanswered(copy.route)
                continue
            request = f"{copy.method} {masked_target(copy.target)}"
            at = datetime.now(UTC).isoformat(timespec="seconds")
            example = Example(at=at, request=request, differences=found[:10]) if found else None
            self._record.compared(copy.route, example)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128
    comparing: Comparing


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _take(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self._body(headers)
        if self.path != "/health" or "x-request-id" in headers:
            self.server.comparing.take(self.command, self.path, headers, body)
        self.send_response(204)
        self.end_headers()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _take  # noqa: N815 - names of http.server

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "") != "chunked":
            return self.rfile.read(min(int(headers.get("content-length", 0)), _LARGEST))
        whole = bytearray()
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(whole)

    def log_message(self, *_: Any) -> None:
        """Say nothing of each copy."""


def serve(settings: Settings) -> None:
    """Take copies until the process is asked to end."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.suppress(FileNotFoundError):
        Path(settings.listen).unlink()
    with _Server(settings.listen, _Handler) as server:
        Path(settings.listen).chmod(0o600)
        server.comparing = Comparing(settings)
        try:
            server.serve_forever()
        finally:
            server.comparing.close()
