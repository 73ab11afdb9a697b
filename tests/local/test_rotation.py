"""The access log is bounded while requests flow, and loses none of them."""

import asyncio
import json
from pathlib import Path

import pytest

from shoal.local.logs import read
from shoal.local.probe import until
from shoal.local.rotation import keep_bounded
from shoal.mesh.layout import Pipe
from tests.mesh.samples import TINY
from tests.mesh.world import running

pytestmark = pytest.mark.live


async def test_a_log_that_has_grown_is_set_aside_and_loses_no_line() -> None:
    async with running(TINY) as world:
        access, admin = Path(world.layout.access()), world.layout.admin()
        assert isinstance(admin, Pipe)
        keeping = asyncio.create_task(keep_bounded(access, Path(admin.path), largest=3000, every=0.02))
        sent = 0

        async def asked() -> bool | None:
            nonlocal sent
            sent += (await world.edge(f"GET /nowhere/{sent}")).status == 404
            return access.with_name("access.1.jsonl").exists() or None

        async def last() -> bool | None:
            return any(b"/nowhere/last" in line for line in read(access)) or None

        async with asyncio.timeout(20):
            await until(asked)
            keeping.cancel()
            await world.edge("GET /nowhere/last")
            await until(last)
        paths = [json.loads(line)["path"] for line in read(access)]
        assert paths == [*(f"/nowhere/{n}" for n in range(sent)), "/nowhere/last"]
