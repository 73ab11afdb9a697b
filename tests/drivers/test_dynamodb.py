"""DynamoDB keeps the contract of stores."""

# ruff: noqa: PT012 - what fails is often the end of a session, and a session is a block

import itertools
import os
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from shoal.drivers import open_store, store_admin
from shoal.drivers.aws.address import read
from shoal.drivers.aws.client import AwsClient
from shoal.drivers.base import Account, Mark, Query, Sent, Store
from shoal.drivers.base.documents import tables
from shoal.drivers.base.documents.engine import Write
from shoal.drivers.base.documents.store import DocumentStore
from shoal.drivers.dynamodb import places
from shoal.drivers.dynamodb.engine import DynamoEngine
from shoal.drivers.dynamodb.values import END
from shoal.errors import Contended, HostError, Unavailable, Unstorable
from shoal.local.engines import Running, aws, start
from shoal.local.ports import free_port
from shoal.local.urls import aws_url
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
    aws.locate()
except HostError as error:
    pytest.skip(str(error), allow_module_level=True)
if "SHOAL_MATRIX" not in os.environ:
    pytest.skip("`make matrix` asks this of DynamoDB", allow_module_level=True)
pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]


class Server:
    """A server for all tests of this file."""

    def __init__(self, place: Path) -> None:
        self.options = aws.AwsOptions(directory=place / "aws", port=free_port())
        self.log: list[str] = []
        self.names = itertools.count()
        self._running: Running | None = None

    async def start(self) -> None:
        self._running = await start(aws.recipe(self.options), on_line=self.log.append)

    async def crash(self) -> None:
        assert self._running is not None
        await self._running.process.kill()

    async def stop(self) -> None:
        assert self._running is not None
        await self._running.process.stop()

    async def account(self) -> Account:
        made = account(f"svc_{next(self.names)}")
        await store_admin(aws_url("dynamodb", self.options.port, "operator", "o", "")).declare([made])
        return made


class Harness:
    """A database for one test."""

    capabilities = catalog.engine("dynamodb").capabilities
    commit_limit = catalog.engine("dynamodb").commit_limit

    def __init__(self, server: Server, made: Account) -> None:
        self.crash, self.start = server.crash, server.start
        self.url = aws_url("dynamodb", server.options.port, made.role, made.password, made.database)
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


async def test_what_no_document_holds_is_said(harness: Harness) -> None:
    store = await harness.store()
    await store.migrate([])
    for value in (10**38, object(), "\ud800"):
        with pytest.raises(Unstorable):
            async with store.session() as session:
                session.put(PRICES, {"sku": "s", "amount": value})


async def test_what_ends_is_said_to_be_let_go_of_also_after_a_kill(server: Server) -> None:
    """Whoever makes a table waits for it, as Terraform does; a driver that finds it on asks nothing more."""
    made = await server.account()
    url = aws_url("dynamodb", server.options.port, made.role, made.password, made.database)
    for kill in (False, True):
        if kill:
            await server.crash()
            await server.start()
        client = AwsClient("dynamodb", read(url))
        known = await client.ask("describe_time_to_live", TableName=made.database)
        await client.close()
        assert known["TimeToLiveDescription"] == {"TimeToLiveStatus": "ENABLED", "AttributeName": END}


async def rob(store: DocumentStore, name: str) -> None:
    """Give a lock to somebody else, as happens to who is frozen for too long."""
    engine = store._engine
    assert isinstance(engine, DynamoEngine)
    raw, at = engine.raw(ORDERS), places.lock(name)
    update = {"UpdateExpression": "SET o = :o", "ExpressionAttributeValues": {":o": {"S": "somebody else"}}}
    await raw.client.ask("update_item", TableName=raw.table, Key=at.key, **update)


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


async def test_who_dies_while_meeting_another_stream_is_followed_by_one_who_forgets(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await published(harness, 2)
    async with store.outbox() as lease:
        await lease.meet("first")
        await lease.sent([Sent(position=row.position, sequence=9) for row in await lease.pending(2)])
        with monkeypatch.context() as patched, pytest.raises(Unavailable):
            patched.setattr(lease, "forget", away)
            await lease.meet("second")
        assert await lease.meet("second") == 2


async def away(above: int) -> int:
    raise Unavailable(f"gone before {above}")


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
