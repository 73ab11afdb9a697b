"""MongoDB keeps the contract of stores."""

import itertools
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from shoal.drivers import open_store, store_admin
from shoal.drivers.base import Account, Mark, Query, Store
from shoal.drivers.base.documents import tables
from shoal.drivers.base.documents.engine import Write
from shoal.drivers.base.documents.store import DocumentStore
from shoal.errors import EngineError, Unstorable
from shoal.local.engines import Running, mongo, start
from shoal.local.environment import mongo_url
from shoal.local.ports import free_port
from shoal.local.secrets import OPERATOR
from shoal.model import catalog
from tests.conformance.harness import PRICES, account, soon
from tests.conformance.inbox import InboxContract
from tests.conformance.ledger import AgeContract, LedgerContract, OwnTableContract
from tests.conformance.outbox import FailureContract, MigrationContract, OutboxContract, QueryContract
from tests.conformance.rights import LeaseContract
from tests.conformance.savepoints import SavepointContract
from tests.conformance.store import ConflictContract, LockContract, TransactionContract
from tests.conformance.twins import TwinContract

pytest.importorskip("secantus", reason="needs shoal[local-mongo]")
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
        """End without a word."""
        assert isinstance(store, DocumentStore)
        store._leases.close()
        store._keeper.close()
        await store._engine.close()

    async def age(self, days: float) -> None:
        """Move what is dated; the date of a mark is a part of its name."""
        engine, earlier = self.opened[0]._engine, timedelta(days=-days)
        for table in (tables.OUTBOX, tables.INBOX, tables.RECEIPTS):
            found = await engine.search(table, Query())
            rows: list[dict[str, object]] = [
                {**one.row, "at": cast("datetime", one.row["at"]) + earlier} for one in found
            ]
            if table is tables.INBOX:
                for row in rows:
                    consumer, message, _ = str(row["mark"]).split("\n")
                    at = cast("datetime", row["at"])
                    row["mark"] = tables.place(Mark(consumer=consumer, message_id=message, at=at))
            gone = [Write(table=table, key=one.key, row=None) for one in found]
            if found:
                await engine.commit([*gone, *(Write(table=table, key=row[table.key], row=row) for row in rows)])


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


async def test_what_no_document_holds_is_said(harness: Harness) -> None:
    store = await harness.store()
    await store.migrate([])
    for value in (1 << 63, object(), "\ud800"):
        with pytest.raises(Unstorable):
            async with store.session() as session:
                session.put(PRICES, {"sku": "s", "amount": value})


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
