"""A service that starts before its broker has one connection afterwards, and none once it has stopped."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from shoal.drivers import open_broker
from shoal.errors import Unavailable
from shoal.local.engines import nats, start
from shoal.local.ports import free_port
from shoal.local.probe import get
from tests.conformance.harness import back

pytestmark = pytest.mark.live

USER = nats.NatsUser(name="service", password="p", publish=(">",), subscribe=(">",))


@pytest_asyncio.fixture
async def options() -> AsyncIterator[nats.NatsOptions]:
    directory = Path(tempfile.mkdtemp(prefix="sh-", dir="/tmp"))
    yield nats.NatsOptions(directory=directory, users=(USER,), port=free_port())
    shutil.rmtree(directory, ignore_errors=True)


async def connections(monitoring: str) -> int:
    answer = await get(urlsplit(monitoring).port or 0, "/connz")
    return int(json.loads(answer.body)["num_connections"])


async def test_what_failed_to_connect_leaves_nothing_that_connects_later(options: nats.NatsOptions) -> None:
    broker = open_broker(f"nats://service:p@127.0.0.1:{options.port}")
    with pytest.raises(Unavailable):
        await broker.open()
    running = await start(nats.recipe(options), on_line=lambda _: None)
    try:
        await back(broker.open)
        await broker.ping()
        assert await connections(running.addresses["monitoring"]) == 1
        await broker.close()
        async with asyncio.timeout(10):
            while await connections(running.addresses["monitoring"]):
                await broker.close()
    finally:
        await running.process.stop()
