"""Replicas that start together on an empty store: one sows, the others notice."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from shoal import Postgres, Service, Transaction, record
from shoal.drivers import open_store, store_admin
from shoal.drivers.base import Account, Migration
from shoal.local.engines import postgres, start
from shoal.runtime.clients import LocalTransport
from shoal.runtime.config import ServiceConfig
from shoal.runtime.host import Fittings, Host

pytestmark = pytest.mark.live

REPLICAS, THINGS = 4, 3
TABLES = Migration(number=1, name="001_things", sql="create table things (id text primary key)", checksum="a" * 64)


@record("things", key="id")
class Thing(msgspec.Struct, frozen=True, kw_only=True):
    id: str


service = Service("things", store=Postgres())


@service.seed("all")
async def sow(tx: Transaction) -> None:
    for number in range(THINGS):
        tx.insert(Thing(id=f"t{number}"))


@pytest_asyncio.fixture
async def url() -> AsyncIterator[str]:
    place = Path(tempfile.mkdtemp(prefix="sh-", dir="/tmp"))
    options = postgres.PostgresOptions(data=place / "pg" / "data", sockets=place / "run", password="p")
    running = await start(postgres.recipe(options), on_line=lambda _: None)
    operator = f"postgres://{postgres.SUPERUSER}:p@/postgres?host={options.sockets}"
    await store_admin(operator).declare([Account(database="things", role="things", password="p")])
    yield f"postgres://things:p@/things?host={options.sockets}"
    await running.process.stop()
    shutil.rmtree(place, ignore_errors=True)


async def test_one_of_several_replicas_sows(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shoal.runtime.migrations.folder_of", lambda _module, _name: Path())
    monkeypatch.setattr("shoal.runtime.migrations.read", lambda _folder: (TABLES,))
    config = ServiceConfig(system="s", entry="tests:service", store_url=url)
    hosts = [Host(service, config, Fittings(transport=LocalTransport())) for _ in range(REPLICAS)]
    await asyncio.gather(*(host.start() for host in hosts))
    store = open_store(url)
    async with store.session() as session:
        assert len(await session.fetch("select id from things")) == THINGS
    await store.close()
    await asyncio.gather(*(host.stop() for host in hosts))
