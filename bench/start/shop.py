"""The reference system, started as its reader would start it, and its first order."""

import asyncio
import os
import shutil
import signal
import sys
import time
import uuid
from asyncio.subprocess import DEVNULL, STDOUT, Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bench.http import Answer, send
from bench.workers import ROOT
from shoal.local.ports import free_port

PATIENCE = 90.0
PAUSE = 0.01
"""Seconds between two attempts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How long each step had taken since the command."""

    answering: float
    """The gateway serves the first request that a service must answer."""
    placed: float
    confirmed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Starts ``shoal run`` and shops."""

    place: Path
    """Holds the state of the system, and the cache that is otherwise the user's."""

    def clear(self, *, cache: bool) -> None:
        """Forget every earlier start; with the `cache`, also what other projects would have left."""
        shutil.rmtree(self.place / "state", ignore_errors=True)
        if cache:
            shutil.rmtree(self.place / "cache", ignore_errors=True)

    async def start(self, *, fresh: bool) -> Start:
        """Start everything, order something and end everything again."""
        for folder in ("state", "cache"):
            (self.place / folder).mkdir(parents=True, exist_ok=True)
        port = free_port()
        started = time.perf_counter()
        process = await self._run(port, fresh=fresh)
        try:
            async with asyncio.timeout(PATIENCE):
                return await _order(port, started)
        except TimeoutError:
            said = (self.place / "log").read_text("utf-8", "replace")[-3000:]
            raise RuntimeError(f"no order was confirmed within {PATIENCE:g} s:\n{said}") from None
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGINT)
            await process.wait()

    async def _run(self, port: int, *, fresh: bool) -> Process:
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        words = ["-C", str(self.place / "state"), "--system", "shop.system:system"]
        options = ["run", "--no-reload", "--port", str(port), *(["--fresh"] if fresh else [])]
        with (self.place / "log").open("wb") as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "shoal.cli", *words, *options),
                env=os.environ | {"PYTHONPATH": path, "XDG_CACHE_HOME": str(self.place / "cache")},
                stdin=DEVNULL,
                stdout=log,
                stderr=STDOUT,
            )


async def _order(port: int, started: float) -> Start:
    account = {"email": f"{uuid.uuid4().hex}@example.com", "name": "Ada", "password": "correct horse battery"}
    await _until(port, _request("POST", "/users", account), 201)
    answering = time.perf_counter() - started
    session = await _until(port, _request("POST", "/sessions", {k: account[k] for k in ("email", "password")}), 200)
    token = session["access_token"]
    wish = {"lines": [{"sku": "KIT-0110", "quantity": 1}], "payment_method": "tok_visa"}
    placed = await _until(port, _request("POST", "/orders", wish, token), 201)
    placed_at = time.perf_counter() - started
    while placed["status"] != "CONFIRMED":
        await asyncio.sleep(PAUSE)
        placed = await _until(port, _request("GET", f"/orders/{placed['order_id']}", None, token), 200)
    return Start(answering=answering, placed=placed_at, confirmed=time.perf_counter() - started)


async def _until(port: int, request: bytes, status: int) -> Any:
    """Ask again until the answer has the status that means success; while things start, nobody or a 503 may answer."""
    while True:
        try:
            answer = await send(port, request)
        except (OSError, EOFError):
            await asyncio.sleep(PAUSE)
            continue
        if answer.status == status:
            return msgspec.json.decode(answer.body)
        if answer.status < 500 and answer.status != 404:
            raise RuntimeError(f"{_line(request)} was answered {_text(answer)}")
        await asyncio.sleep(PAUSE)


def _line(request: bytes) -> str:
    return request.partition(b"\r\n")[0].decode("latin-1")


def _text(answer: Answer) -> str:
    return f"{answer.status} {answer.body[:300]!r}"


def _request(method: str, path: str, document: object, token: str = "") -> bytes:
    body = b"" if document is None else msgspec.json.encode(document)
    headers = {
        "Host": "127.0.0.1",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Idempotency-Key": uuid.uuid4().hex,
    } | ({"Authorization": f"Bearer {token}"} if token else {})
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body
