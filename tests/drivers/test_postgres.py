"""PostgreSQL keeps the contract of stores, and what is its own."""

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio

from shoal.drivers import open_store, store_admin
from shoal.drivers.base import Account, Migration, Store, Table
from shoal.errors import EngineError, MigrationError, Unavailable
from shoal.local.engines import Running, postgres, start
from shoal.model import catalog
from tests.conformance.harness import CREATE, account, row, soon
from tests.conformance.outbox import FailureContract, MigrationContract, OutboxContract, QueryContract
from tests.conformance.store import ConflictContract, LockContract, TransactionContract, fill, keys, ready

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

PASSWORD = "it's a secret"


class Engine:
    """A cluster for all tests of this file."""

    def __init__(self, place: Path) -> None:
        self.options = postgres.PostgresOptions(data=place / "pg" / "data", sockets=place / "run", password=PASSWORD)
        self.log: list[str] = []
        self._running: Running | None = None
        self._names = (f"svc_{number}" for number in itertools.count())

    async def start(self) -> None:
        self._running = await start(postgres.recipe(self.options), on_line=self.log.append)

    async def crash(self) -> None:
        assert self._running is not None
        await self._running.process.kill()

    async def stop(self) -> None:
        assert self._running is not None
        await self._running.process.stop()

    def url(self, role: str, password: str, database: str) -> str:
        return f"postgres://{quote(role)}:{quote(password, safe='')}@/{database}?host={self.options.sockets}"

    @property
    def operator(self) -> str:
        return self.url(postgres.SUPERUSER, PASSWORD, "postgres")

    async def account(self) -> Account:
        made = account(next(self._names))
        await store_admin(self.operator).declare([made])
        return made


class Harness:
    """A database for one test."""

    capabilities = catalog.engine("postgres").capabilities

    def __init__(self, engine: Engine, made: Account) -> None:
        self.crash, self.start = engine.crash, engine.start
        self.url = engine.url(made.role, made.password, made.database) + "&pool=6"
        self.opened: list[Store] = []

    async def store(self) -> Store:
        store = open_store(self.url)
        self.opened.append(store)
        await store.open()
        return store


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncIterator[Engine]:
    place = Path(tempfile.mkdtemp(prefix="sh-", dir="/tmp"))
    place.chmod(0o755)
    engine = Engine(place)
    await engine.start()
    yield engine
    await engine.stop()
    shutil.rmtree(place, ignore_errors=True)


@pytest_asyncio.fixture(loop_scope="module")
async def harness(engine: Engine) -> AsyncIterator[Harness]:
    harness = Harness(engine, await engine.account())
    yield harness
    for store in harness.opened:
        await soon(store.close())


class TestTransactions(TransactionContract):
    pass


class TestConflicts(ConflictContract):
    pass


class TestLocks(LockContract):
    pass


class TestQueries(QueryContract):
    pass


class TestOutbox(OutboxContract):
    pass


class TestMigrations(MigrationContract):
    pass


class TestFailures(FailureContract):
    pass
