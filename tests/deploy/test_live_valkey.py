"""Valkey takes the configuration and the users that are written for it, and lets each see its own part alone."""

import asyncio
import contextlib
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shoal.drivers.valkey.link import Door, Link
from shoal.errors import EngineError
from shoal.local.engines import valkey
from shoal.local.ports import free_port
from shoal.local.probe import until
from tests.deploy.samples import CAFE, objects, of_kind, written

pytestmark = pytest.mark.live
PASSWORD = "a-password"


@pytest.fixture(name="port")
async def _port() -> AsyncIterator[int]:
    texts, port = written(CAFE), free_port()
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="sh-") as name:
        folder = Path(name)
        (users,) = (e for e in of_kind(objects(texts), "ExternalSecret") if e["metadata"]["name"] == "valkey-users")
        for file, text in users["spec"]["target"]["template"]["data"].items():
            (folder / file).write_text(re.sub(r"\{\{ \.\w+ \}\}", PASSWORD, text), "utf-8")
        told = texts["engines/valkey/valkey.conf"].replace("/etc/valkey/users", name).replace("/data", name)
        file = folder / "valkey.conf"
        file.write_text(told.replace("bind * -::*", "bind 127.0.0.1").replace("port 6379", f"port {port}"), "utf-8")
        announced = ("--cluster-announce-ip", "127.0.0.1", "--cluster-port", str(free_port()))
        running = await asyncio.create_subprocess_exec(
            str(valkey.locate()), str(file), *announced, stdout=asyncio.subprocess.DEVNULL
        )
        try:
            yield port
        finally:
            with contextlib.suppress(ProcessLookupError):  # it may not have come up
                running.terminate()
            await running.wait()


async def asked(port: int, user: str, password: str, *words: str) -> object:
    link = Link(Door(host="127.0.0.1", port=port, user=user, password=password))
    try:
        return await link.call(*words)
    finally:
        await link.close()


async def test_each_user_sees_its_own_part(port: int) -> None:
    async def up() -> bool | None:
        try:
            return bool(await asked(port, "operator", PASSWORD, "CLUSTER", "ADDSLOTSRANGE", "0", "16383"))
        except EngineError:
            return None

    assert await asyncio.wait_for(until(up), 20)

    async def serves() -> bool | None:
        try:
            return await asked(port, "menu", PASSWORD, "SET", "cafe:menu:tea", "3") == b"OK" or None
        except EngineError:
            return None

    assert await asyncio.wait_for(until(serves), 20)
    for user, password, words in (
        ("menu", PASSWORD, ("GET", "cafe:till:tea")),
        ("menu", PASSWORD, ("FLUSHALL",)),
        ("menu", "another", ("GET", "cafe:menu:tea")),
        ("default", "", ("PING",)),
    ):
        with pytest.raises(EngineError):
            await asked(port, user, password, *words)
    assert await asked(port, "menu", PASSWORD, "GET", "cafe:menu:tea") == b"3"
