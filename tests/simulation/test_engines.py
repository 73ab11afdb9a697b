"""Without faults, the model engines keep the contract of every driver."""

import asyncio
from datetime import UTC, datetime
from random import Random

import pytest

from shoal.drivers.base import Broker, BrokerAdmin, Store
from shoal.drivers.memory import MemoryStore
from shoal.model import catalog
from shoal.testing.simulation.broker import ModelBroker
from shoal.testing.simulation.database import Database, ModelStore
from shoal.testing.simulation.domain import Domain
from shoal.testing.simulation.faults import Chance, Faults
from tests.conformance.broker import AnswerContract, FetchContract, PublishContract
from tests.conformance.inbox import InboxContract
from tests.conformance.outbox import FailureContract, MigrationContract, OutboxContract, QueryContract
from tests.conformance.rights import LeaseContract
from tests.conformance.savepoints import SavepointContract
from tests.conformance.store import ConflictContract, LockContract, TransactionContract


def quick() -> Chance:
    return Chance(Random(1), Faults(latency=1e-5))


class Present:
    """The real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class Bus:
    """One broker, connections for each user."""

    capabilities = catalog.engine("memory-bus").capabilities

    def __init__(self) -> None:
        self._server = ModelBroker(asyncio.get_running_loop(), Present(), quick())

    async def broker(self, user: str) -> Broker:
        link = self._server.connect(Domain(user))
        await link.open()
        return link

    def admin(self) -> BrokerAdmin:
        return self._server

    async def crash(self) -> None:
        self._server.crash()

    async def start(self) -> None:
        self._server.start()


class Shelf:
    """One database, a connection for each replica."""

    capabilities = catalog.engine("memory").capabilities

    def __init__(self) -> None:
        self._database = Database("test", MemoryStore(), quick())

    async def store(self) -> Store:
        return self._database.connect(Domain("replica"))

    async def vanish(self, store: Store) -> None:
        assert isinstance(store, ModelStore)
        self._database.drop(store.domain)

    async def crash(self) -> None:
        self._database.crash()

    async def start(self) -> None:
        self._database.start()


class OnShelf:
    @pytest.fixture
    async def harness(self) -> Shelf:
        return Shelf()


class OnBus:
    @pytest.fixture
    async def harness(self) -> Bus:
        return Bus()


class TestTransactions(OnShelf, TransactionContract):
    pass


class TestConflicts(OnShelf, ConflictContract):
    pass


class TestLocks(OnShelf, LockContract):
    pass


class TestInbox(OnShelf, InboxContract):
    pass


class TestOutbox(OnShelf, OutboxContract):
    pass


class TestFailures(OnShelf, FailureContract):
    pass


class TestMigrations(OnShelf, MigrationContract):
    pass


class TestQueries(OnShelf, QueryContract):
    pass


class TestSavepoints(OnShelf, SavepointContract):
    pass


class TestLeases(OnShelf, LeaseContract):
    pass


class TestPublishing(OnBus, PublishContract):
    pass


class TestFetching(OnBus, FetchContract):
    pass


class TestAnswers(OnBus, AnswerContract):
    pass
