"""MongoDB keeps the contract of stores."""

import itertools
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shoal.drivers import open_store, store_admin
from shoal.drivers.base import Account, Store
from shoal.drivers.base.documents.store import DocumentStore
from shoal.drivers.mongo.engine import MongoEngine
from shoal.errors import EngineError
from shoal.local.engines import Running, mongo, start
from shoal.local.ports import free_port
from shoal.local.secrets import OPERATOR
from shoal.local.urls import mongo_url
from shoal.model import catalog
from tests.conformance import documents
from tests.conformance.documents import DocumentContract
from tests.conformance.harness import ORDERS, account, row, soon
from tests.conformance.inbox import InboxContract
from tests.conformance.ledger import AgeContract, LedgerContract, OwnTableContract
from tests.conformance.outbox import FailureContract, MigrationContract, OutboxContract, QueryContract
from tests.conformance.rights import LeaseContract
from tests.conformance.savepoints import SavepointContract
from tests.conformance.store import ConflictContract, LockContract, TransactionContract, fill, ready
from tests.conformance.twins import TwinContract
from tests.conformance.versions import VersionContract

pytest.importorskip("secantus", reason="needs shoal[local-mongo]")
if "SHOAL_MATRIX" not in os.environ:
    pytest.skip("`make matrix` asks this of MongoDB's protocol", allow_module_level=True)

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

PASSWORD = "it's a secret: 50%"


class Server:
    """A server for all tests of this file."""

    def __init__(self, place: Path) -> None:
        self.options = mongo.MongoOptions(directory=place / "mongo", port=free_port(), password=PASSWORD)
        self.log: list[str] = []
        self.names = itertools.count()
        self._running: Running | None = None

    async def start(self) -> None:
        self._running = await start(mongo.recipe(self.options), on_line=self.log.append)

    async def crash(self) -> None:
        assert self._running is not None
        await self._running.process.kill()

    async def stop(self) -> None:
        assert self._running is not None
        await self._running.process.stop()

    async def account(self) -> Account:
        made = account(f"svc_{next(self.names)}")
        await store_admin(mongo_url(self.options.port, OPERATOR, PASSWORD, "admin")).declare([made])
        return made


class Harness:
    """A database for one test."""

    capabilities = catalog.engine("mongo").capabilities

    def __init__(self, server: Server, made: Account) -> None:
        self.crash, self.start = server.crash, server.start
        self.url = mongo_url(server.options.port, made.role, made.password, made.database)
        self.opened: list[DocumentStore] = []

    async def store(self) -> Store:
        store = open_store(self.url)
        assert isinstance(store, DocumentStore)
        self.opened.append(store)
        await store.open()
        return store

    async def vanish(self, store: Store) -> None:
        await documents.vanish(store)

    async def age(self, days: float) -> None:
        await documents.age(self.opened[0], days)

    async def rob(self, name: str) -> None:
        engine = self.opened[0]._engine
        assert isinstance(engine, MongoEngine)
        await engine._of("shoal.locks").update_one({"_id": name}, {"$set": {"owner": "somebody else"}})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(place: Path) -> AsyncIterator[Server]:
    server = Server(place)
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def harness(server: Server) -> AsyncIterator[Harness]:
    harness = Harness(server, await server.account())
    yield harness
    for store in harness.opened:
        await soon(store.close())


async def test_each_service_opens_its_own_database_alone(server: Server) -> None:
    mine, other = await server.account(), await server.account()
    await store_admin(mongo_url(server.options.port, OPERATOR, PASSWORD, "admin")).declare([mine, other])
    for made, password, words in ((mine, "wrong", "(?i)auth"), (other, other.password, "(?i)not authorized")):
        url = mongo_url(server.options.port, made.role, password, made.database)
        store = open_store(url.replace(f"/{other.database}?", f"/{mine.database}?"))
        with pytest.raises(EngineError, match=words):
            await store.migrate([])
        await store.close()


async def test_a_transaction_that_a_dead_process_left_open_is_ended(harness: Harness) -> None:
    store, other = await ready(harness), await harness.store()
    await fill(store, [row("1")])
    dead, engine = store._engine, other._engine  # type: ignore[attr-defined]
    async with dead._client.start_session() as session:
        await dead._sessions.note(session)
        await session.start_transaction()
        await dead._of("orders").update_one({"_id": "1"}, {"$set": {"total": 7}}, session=session)
        await engine._of("shoal.sessions").update_many({}, {"$set": {"until": 0}})
        await engine._sessions.end_late()
        await soon(fill(other, [row("1", total=1)]))
    async with other.session() as reading:
        assert (await reading.get(ORDERS, "1") or {})["total"] == 1


class TestDocuments(DocumentContract):
    pass


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


class TestInbox(InboxContract):
    pass


class TestSavepoints(SavepointContract):
    pass


class TestLeases(LeaseContract):
    pass


class TestLedger(LedgerContract):
    pass


class TestAge(AgeContract):
    pass


class TestOwnTables(OwnTableContract):
    pass


class TestTwins(TwinContract):
    pass


class TestMigrations(MigrationContract):
    pass


class TestFailures(FailureContract):
    pass


class TestVersions(VersionContract):
    pass
