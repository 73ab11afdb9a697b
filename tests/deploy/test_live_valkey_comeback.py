"""Servers of Valkey that all come back at once, with other addresses, find each other by what is written for them."""

import asyncio
import contextlib
import os
import re
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from shoal.drivers.valkey.link import Door, Link
from shoal.errors import EngineError
from shoal.local.engines import valkey
from shoal.local.ports import free_port
from shoal.local.probe import until
from tests.deploy.samples import CAFE, objects, of_kind, written

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8"),
]
PASSWORD = "a-password"
BUS = 10_000
"""How far the port by which servers talk to each other lies above the one for clients."""
SLOTS = ((0, 5460), (5461, 10922), (10923, 16383))
COMMAND = f'''#!{sys.executable}
"""Stands for valkey-cli: one command, one answer."""
import os, socket, sys
words, host = sys.argv[1:], os.environ["POD_IP"]
if words[0] == "--user":
    words = words[3:]  # and its --no-auth-warning
if words[0] == "-h":
    host, words = words[1], words[2:]
words = [os.environ["PORT"] if word == "6379" else word for word in words]
try:
    link = socket.create_connection((host, int(os.environ["PORT"])), 2)
except OSError:
    sys.exit(1)
for command in (["auth", "operator", os.environ["VALKEYCLI_AUTH"]], words):
    said = b"".join(b"$%d\\r\\n%s\\r\\n" % (len(word), word.encode()) for word in command)
    link.sendall(b"*%d\\r\\n%s" % (len(command), said))
    file = link.makefile("rb")
    head = file.readline()
    text = file.read(int(head[1:])) if head[:1] == b"$" else head[1:]
print(text.decode())
'''


class Pods:
    """Servers with addresses that change whenever they start."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, next(port for port in iter(free_port, 0) if port + BUS < 1 << 16)
        self.running: list[asyncio.subprocess.Process] = []
        self.texts = written(CAFE)
        (users,) = (
            e for e in of_kind(objects(self.texts), "ExternalSecret") if e["metadata"]["name"] == "valkey-users"
        )
        self.secrets = users["spec"]["target"]["template"]["data"]
        self._program("valkey-cli", COMMAND)
        self._program("getent", f'#!/bin/sh\ngrep " $2\\$" {folder}/hosts\n')
        (folder / "valkey-server").symlink_to(valkey.locate())

    def _program(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")
        (self.folder / name).chmod(0o755)

    async def start(self, addresses: Sequence[str]) -> None:
        """Start one at each address, after the names lead there."""
        names = (f"{address} valkey-{n}.valkey-peers\n" for n, address in enumerate(addresses))
        (self.folder / "hosts").write_text("".join(names), "utf-8")
        for n, address in enumerate(addresses):
            home = self.folder / f"pod-{n}"
            home.mkdir(exist_ok=True)
            for file, text in self.secrets.items():
                (home / file).write_text(re.sub(r"\{\{ \.\w+ \}\}", PASSWORD, text), "utf-8")
            told = self.texts["engines/valkey/valkey.conf"].replace("/etc/valkey/users", str(home))
            told = told.replace("/data", str(home)).replace("bind * -::*", f"bind {address}")
            told = told.replace("port 6379", f"port {self.port}")
            (home / "valkey.conf").write_text(told, "utf-8")
            script = self.texts["engines/valkey/start.sh"].replace("/etc/valkey/configuration", str(home))
            given = {"PATH": f"{self.folder}:{os.environ['PATH']}", "POD_IP": address, "PORT": str(self.port)}
            given["VALKEYCLI_AUTH"] = PASSWORD
            began = await asyncio.create_subprocess_exec(
                "sh", "-c", script, env=given, start_new_session=True, stdout=DEVNULL, stderr=DEVNULL
            )
            self.running.append(began)

    async def end(self) -> None:
        """End all of them."""
        for one in self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGTERM)  # the server, and what meets others beside it
            await one.wait()
        self.running = []

    async def ask(self, address: str, *words: str) -> object:
        link = Link(Door(host=address, port=self.port, user="operator", password=PASSWORD))
        try:
            return await link.call(*words)
        finally:
            await link.close()

    async def agree(self, addresses: Sequence[str]) -> None:
        """Wait until each reaches all others, and all slots are somebody's."""

        async def agreed() -> bool | None:
            try:
                told = [str(await self.ask(address, "CLUSTER", "INFO")) for address in addresses]
                nodes = [str(await self.ask(address, "CLUSTER", "NODES")) for address in addresses]
            except EngineError:
                return None
            whole = f"cluster_known_nodes:{len(addresses)}"
            known = all("cluster_state:ok" in one and whole in one for one in told)
            return (known and not any("fail" in one or "disconnected" in one for one in nodes)) or None

        assert await asyncio.wait_for(until(agreed), 60)


@pytest.fixture(name="pods")
async def _pods() -> AsyncIterator[Pods]:
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="sh-") as name:
        pods = Pods(Path(name))
        try:
            yield pods
        finally:
            await pods.end()


async def test_all_may_come_back_at_once_with_other_addresses(pods: Pods) -> None:
    before, after = (tuple(f"127.{64 + os.getpid() % 128}.{net}.{n + 1}" for n in range(3)) for net in (1, 2))
    await pods.start(before)

    async def up() -> bool | None:
        try:
            return [await pods.ask(address, "PING") for address in before] != []
        except EngineError:
            return None

    assert await asyncio.wait_for(until(up), 30)
    for address, (first, last) in zip(before, SLOTS, strict=True):
        await pods.ask(address, "CLUSTER", "ADDSLOTSRANGE", str(first), str(last))
        await pods.ask(before[0], "CLUSTER", "MEET", address, str(pods.port))
    await pods.agree(before)
    await pods.end()
    await pods.start(after)
    await pods.agree(after)
