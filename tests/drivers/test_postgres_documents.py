"""Documents in PostgreSQL keep the contract of stores."""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shoal.drivers import open_store
from shoal.drivers.base import Store
from shoal.drivers.postgres.documents.engine import JsonEngine
from shoal.model import catalog
from tests.conformance import documents
from tests.conformance.documents import DocumentContract, below
from tests.conformance.harness import soon
from tests.conformance.inbox import InboxContract
from tests.conformance.ledger import AgeContract, LedgerContract, OwnTableContract
from tests.conformance.outbox import FailureContract, MigrationContract, OutboxContract, QueryContract
from tests.conformance.rights import LeaseContract
from tests.conformance.savepoints import SavepointContract
from tests.conformance.store import ConflictContract, LockContract, TransactionContract
from tests.conformance.twins import TwinContract
from tests.conformance.versions import VersionContract
from tests.drivers import postgres_engine
from tests.drivers.postgres_engine import Engine

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]
AT_LENGTH: list[str] = []
"""Names of what takes long for what it may find, since it stands in code that other tests run."""


def at_length(suite: type) -> type:
    """Leave a suite to ``make matrix``."""
    AT_LENGTH.append(suite.__name__)
    suite.__test__ = "SHOAL_MATRIX" in os.environ  # type: ignore[attr-defined]
    return suite


class Harness(postgres_engine.Harness):
    """A database for one test."""

    capabilities = catalog.engine("documents").capabilities

    async def store(self) -> Store:
        store = open_store(self.url.replace("postgres:", "documents:", 1))
        self.opened.append(store)
        await store.open()
        return store

    async def vanish(self, store: Store) -> None:
        await documents.vanish(store)

    async def age(self, days: float) -> None:
        await documents.age(self.opened[0], days)

    async def rob(self, name: str) -> None:
        engine = below(self.opened[0])
        assert isinstance(engine, JsonEngine)
        await engine._pool.fetch("update documents.\"shoal.locks\" set owner = 'x' where name = $1", [name])


@pytest_asyncio.fixture(loop_scope="module")
async def harness(engine: Engine) -> AsyncIterator[Harness]:
    harness = Harness(engine, await engine.account())
    yield harness
    for store in harness.opened:
        await soon(store.close())


class TestDocuments(DocumentContract):
    pass


class TestVersions(VersionContract):
    pass


class TestTransactions(TransactionContract):
    pass


class TestConflicts(ConflictContract):
    pass


class TestLocks(LockContract):
    pass


@at_length
class TestQueries(QueryContract):
    pass


class TestOutbox(OutboxContract):
    pass


class TestInbox(InboxContract):
    pass


@at_length
class TestSavepoints(SavepointContract):
    pass


@at_length
class TestLeases(LeaseContract):
    pass


@at_length
class TestLedger(LedgerContract):
    pass


@at_length
class TestAge(AgeContract):
    pass


@at_length
class TestOwnTables(OwnTableContract):
    pass


@at_length
class TestTwins(TwinContract):
    pass


class TestMigrations(MigrationContract):
    pass


@at_length
class TestFailures(FailureContract):
    pass


async def test_the_rest_is_asked_at_length() -> None:
    assert AT_LENGTH
    if "SHOAL_MATRIX" not in os.environ:
        pytest.skip(f"`make matrix` asks this of documents, too: {', '.join(AT_LENGTH)}")
