"""Firestore keeps the contract of stores."""

# ruff: noqa: PT012 - what fails is often the end of a session, and a session is a block

import asyncio
import contextlib
import itertools
import os
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from shoal.drivers import open_store, store_admin
from shoal.drivers.base import Account, Mark, Query, Sent, Store
from shoal.drivers.base.documents import tables
from shoal.drivers.base.documents.engine import Write
from shoal.drivers.base.documents.store import DocumentStore
from shoal.drivers.firestore.engine import FirestoreEngine
from shoal.drivers.firestore.locks import LOCKS
from shoal.errors import Contended, DeclarationError, HostError, TooLarge, Unstorable
from shoal.local.engines import Running, firestore, start
from shoal.local.ports import LOOPBACK, free_port
from shoal.local.urls import firestore_url
from shoal.model import catalog
from tests.conformance.harness import ORDERS, PRICES, account, row, soon
from tests.conformance.inbox import InboxContract
from tests.conformance.ledger import AgeContract, LedgerContract, OwnTableContract, published
from tests.conformance.outbox import FailureContract, MigrationContract, OutboxContract, QueryContract
from tests.conformance.rights import LeaseContract
from tests.conformance.savepoints import SavepointContract
from tests.conformance.store import ConflictContract, LockContract, TransactionContract, fill, keys, ready
from tests.conformance.twins import TwinContract
from tests.conformance.versions import VersionContract

try:
    firestore.locate()
except HostError as error:
    pytest.skip(str(error), allow_module_level=True)
if "SHOAL_MATRIX" not in os.environ:
    pytest.skip("`make matrix` asks this of Firestore", allow_module_level=True)
pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]


class Server:
    """An emulator for all tests of this file, behind a line that can be cut: it keeps nothing when it is killed."""

    def __init__(self, place: Path) -> None:
        self.options = firestore.FirestoreOptions(directory=place / "firestore", port=free_port())
        self.port = free_port()
        self.log: list[str] = []
        self.names = itertools.count()
        self._running: Running | None = None
        self._line: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()

    async def run(self) -> None:
        self._running = await start(firestore.recipe(self.options), on_line=self.log.append)
        await self.start()

    async def stop(self) -> None:
        await self.crash()
        assert self._running is not None
        await self._running.process.stop()

    async def start(self) -> None:
        self._line = await asyncio.start_server(self._serve, LOOPBACK, self.port)

    async def crash(self) -> None:
        assert self._line is not None
        self._line.close()
        for end in self._ends:
            end.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(LOOPBACK, self.options.port)
        self._ends |= {writer, back}
        with contextlib.suppress(OSError):
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        self._ends -= {writer, back}
        for end in (writer, back):
            end.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
        sink.write_eof()

    async def account(self) -> Account:
        made = account(f"svc-{next(self.names)}")
        await store_admin(firestore_url(self.port, made.database)).declare([made])
        return made


class Harness:
    """A database for one test."""

    capabilities = catalog.engine("firestore").capabilities
    commit_limit = catalog.engine("firestore").commit_limit

    def __init__(self, server: Server, made: Account) -> None:
        self.crash, self.start = server.crash, server.start
        self.url = firestore_url(server.port, made.database)
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
    await server.run()
    yield server
    await server.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def harness(server: Server) -> AsyncIterator[Harness]:
    harness = Harness(server, await server.account())
    yield harness
    for store in harness.opened:
        await soon(store.close())


async def test_what_no_document_holds_is_said(harness: Harness) -> None:
    store = await harness.store()
    await store.migrate([])
    for value in (10**38, object(), "\ud800", "x" * 1_100_000):
        with pytest.raises(Unstorable):
            async with store.session() as session:
                session.put(PRICES, {"sku": "s", "amount": value})
    with pytest.raises(TooLarge, match="10485760 at most"):
        async with store.session() as session:
            for number in range(12):
                session.put(PRICES, {"sku": f"{number}", "amount": "x" * 1_000_000})
    assert await keys(store, table=PRICES) == []


@pytest.mark.parametrize(
    "url",
    ["firestore:///p", "firestore:///project-1/Up", "firestore://u:p@h/project-1/orders", "firestore://h/a/b?x=1"],
)
async def test_an_address_names_a_database(url: str) -> None:
    with pytest.raises(DeclarationError):
        open_store(url)


async def rob(store: DocumentStore, name: str) -> None:
    """Give a lock to somebody else, as happens to who is frozen for too long."""
    engine = store._engine
    assert isinstance(engine, FirestoreEngine)
    link = engine.raw(ORDERS).link
    path = engine._locks.path(name)
    assert f"/{LOCKS}/" in path
    owner = {"update": {"name": path, "fields": {"owner": {"stringValue": "somebody else"}}}}
    await link.write([{**owner, "updateMask": {"fieldPaths": ["owner"]}, "currentDocument": {"exists": True}}])


async def test_who_lost_a_lock_commits_nothing(harness: Harness) -> None:
    store = await ready(harness)
    await fill(store, [row("1")])
    with pytest.raises(Contended, match="lost"):
        async with store.session() as session:
            assert await session.get(ORDERS, "1", lock=True)
            session.put(PRICES, {"sku": "s", "amount": 1})
            await rob(harness.opened[0], "row orders '1'")
    assert await keys(store, table=PRICES) == []


async def test_a_row_that_changed_under_its_lock_is_not_overwritten(harness: Harness) -> None:
    store = await ready(harness)
    await fill(store, [row("1")])
    with pytest.raises(Contended, match="changed"):
        async with store.session() as session:
            await session.get(ORDERS, "1", lock=True)
            await harness.opened[0]._engine.commit([Write(table=ORDERS, key="1", row=row("1", total=7))])
            session.put(ORDERS, row("1", total=1))
    async with store.session() as session:
        assert (await session.get(ORDERS, "1") or {})["total"] == 7


async def test_who_lost_the_outbox_marks_nothing(harness: Harness) -> None:
    store = await published(harness, 2)
    async with store.outbox() as lease:
        rows = await lease.pending(2)
        await rob(harness.opened[0], "lease outbox")
        with pytest.raises(Contended, match="lost"):
            await lease.sent([Sent(position=rows[0].position, sequence=1)])
    assert (await store.backlog()).count == 2


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
