"""The proxies that are raced, each one thread on the processor that the load generator does not use."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import cpu, http
from bench.edge import world
from bench.handler.world import Keys
from bench.load import Order
from bench.rounds import Sample
from bench.workers import SERVER_CPU, Worker, drive
from shoal.local.engines.envoy import locate

OURS, BARE, NGINX, HAPROXY = "Shoal's edge", "bare Envoy", "nginx", "HAProxy"

_NGINX = """
daemon off; {user} worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log warn;
events {{ worker_connections 512; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder}; keepalive_requests 1000000000;
  upstream products {{ server unix:{upstream}; keepalive 64; keepalive_requests 1000000000; }}
  server {{ listen 127.0.0.1:{port};
    location / {{ proxy_pass http://products; proxy_http_version 1.1; proxy_set_header Connection ""; }} }}
}}
"""

_HAPROXY = """
global
  nbthread 1
  maxconn 512
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend all
  bind 127.0.0.1:{port}
  default_backend products
backend products
  server one {upstream}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A contestant behind its own port."""

    name: str
    port: int
    pid: int
    load: Worker
    requests: tuple[bytes, ...]

    async def run(self, operations: int) -> Sample:
        """Have it pass on `operations` requests."""
        order = Order(port=self.port, operations=operations, requests=self.requests, status=200)
        before = cpu.used([self.pid])
        seconds = await drive(self.load, order)
        return Sample(operations=operations, seconds=seconds, cpu_ns=cpu.used([self.pid]) - before)


def missing() -> tuple[str, ...]:
    """Name the peers that are not installed here."""
    return tuple(name for name, program in ((NGINX, "nginx"), (HAPROXY, "haproxy")) if not _found(program))


@contextlib.asynccontextmanager
async def origin(folder: Path) -> AsyncIterator[Path]:
    """Run the service behind the proxies."""
    socket_path = folder / "origin.socket"
    async with _process(_envoy(folder / "origin", world.origin(folder / "origin", socket_path))):
        yield socket_path


@contextlib.asynccontextmanager
async def proxy(name: str, folder: Path, upstream: Path, load: Worker, keys: Keys) -> AsyncIterator[Proxy]:
    """Run one proxy until the block ends, once it answers."""
    port = _free_port()
    async with _process(_command(name, folder, port, upstream)) as pid:
        requests = tuple(world.request(token) for token in keys.tokens)
        await _answers(port, requests[0])
        yield Proxy(name=name, port=port, pid=pid, load=load, requests=requests)


def _command(name: str, folder: Path, port: int, upstream: Path) -> Sequence[str]:
    """Write a proxy's configuration and say how it is started."""
    if name == OURS:  # beside the keys
        return _envoy(folder, world.profile(folder, port, upstream))
    place = folder / name.replace(" ", "-").lower()
    if name == BARE:
        return _envoy(place, world.bare(place, port, upstream))
    place.mkdir()
    file = place / "configuration"
    user = "user root;" if os.getuid() == 0 else ""  # or its worker could not reach the socket
    text = (_NGINX if name == NGINX else _HAPROXY).format(folder=place, port=port, upstream=upstream, user=user)
    file.write_text(text, "utf-8")
    if name == NGINX:
        return (_found("nginx") or "nginx", "-c", str(file), "-p", str(place))
    return (_found("haproxy") or "haproxy", "-db", "-f", str(file))


def _envoy(place: Path, config: dict[str, Any]) -> Sequence[str]:
    (place / "s").mkdir(parents=True, exist_ok=True)
    file = place / "envoy.json"
    file.write_text(json.dumps(config), "utf-8")
    return (str(locate()), "-c", str(file), "--concurrency", "1", "--disable-hot-restart", "--log-level", "error")


@contextlib.asynccontextmanager
async def _process(argv: Sequence[str]) -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(*argv)
    os.sched_setaffinity(process.pid, {SERVER_CPU})
    try:
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _answers(port: int, request: bytes) -> None:
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, IndexError):
                if (await http.send(port, request)).status == 200:
                    return
            await asyncio.sleep(0.05)


def _found(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
