"""The programs that `shoal run` starts, started all at once by themselves: nothing is secured, migrated or ordered."""

import asyncio
import json
import shutil
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shoal.local.engines import envoy, nats, postgres
from shoal.local.engines.envoy import EnvoyOptions
from shoal.local.engines.nats import NatsOptions
from shoal.local.engines.postgres import PostgresOptions
from shoal.local.ports import free_port

INITDB = ("--username=postgres", "--encoding=UTF8", "--locale=C", "--auth=trust", "--no-sync", "--no-instructions")
_FILTERS = "type.googleapis.com/envoy.extensions.filters"
IMPORTS = "import aiohttp, asyncpg, httptools, joserfc.jwt, msgspec, nats, uvicorn, uvloop"
"""What a service's process imports from elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """Starts PostgreSQL, NATS, Envoy and one Python."""

    place: Path
    prefix: tuple[str, ...]
    """Makes PostgreSQL's programs run as somebody who is not root."""

    def clear(self) -> None:
        """Forget every earlier start."""
        shutil.rmtree(self.place, ignore_errors=True)

    async def start(self) -> float:
        """Start everything and end it again; return the seconds until the last of it answered."""
        self.place.mkdir(parents=True, exist_ok=True)
        self.place.chmod(0o755)
        started = time.perf_counter()
        running: list[Process] = []
        try:
            await asyncio.gather(self._postgres(running), self._nats(running), self._envoy(running), _python())
            return time.perf_counter() - started
        finally:
            await _end(running)

    async def _postgres(self, running: list[Process]) -> None:
        options = PostgresOptions(data=self.place / "data", sockets=self.place / "run", password="")
        server = postgres.locate()
        if not options.data.exists():
            initdb = str(server.with_name("initdb"))
            making = await _spawn([*self.prefix, initdb, *INITDB, "-D", str(options.data)])
            if await making.wait():
                raise RuntimeError("initdb failed")
        options.sockets.mkdir(exist_ok=True)
        settings = ("-c", "listen_addresses=", "-c", f"unix_socket_directories={options.sockets}")
        running.append(await _spawn([*self.prefix, str(server), "-D", str(options.data), *settings]))
        await postgres.probe(options)

    async def _nats(self, running: list[Process]) -> None:
        options = NatsOptions(directory=self.place / "nats", users=())
        command = await nats.prepare(options)
        running.append(await _spawn(command.argv))
        await nats.probe(options)

    async def _envoy(self, running: list[Process]) -> None:
        options = EnvoyOptions(bootstrap=self.place / "envoy.json", admin=self.place / "admin")
        options.bootstrap.write_text(json.dumps(_bootstrap(options.admin)), "utf-8")
        command = await envoy.prepare(options)
        running.append(await _spawn(command.argv))
        await envoy.probe(options)


def _bootstrap(admin: Path) -> dict[str, object]:
    """Configure one listener that says hello."""
    hello = {"status": 200, "body": {"inline_string": "hello"}}
    manager = {
        "@type": f"{_FILTERS}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "hello",
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "direct_response": hello}]}
            ]
        },
        "http_filters": [
            {
                "name": "router",
                "typed_config": {"@type": f"{_FILTERS}.http.router.v3.Router"},
            }
        ],
    }
    address = {"socket_address": {"address": "127.0.0.1", "port_value": free_port()}}
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    return {
        "admin": {"address": {"pipe": {"path": str(admin)}}},
        "static_resources": {"listeners": [{"name": "hello", "address": address, "filter_chains": [chain]}]},
    }


async def _python() -> None:
    """Import what a service imports, once."""
    if await (await _spawn([sys.executable, "-c", IMPORTS])).wait():
        raise RuntimeError("the imports failed")


def _spawn(argv: Sequence[str]) -> Awaitable[Process]:
    return asyncio.create_subprocess_exec(*argv, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)


async def _end(running: Sequence[Process]) -> None:
    for process in running:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
    await asyncio.gather(*(process.wait() for process in running))
