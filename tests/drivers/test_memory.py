"""The reference drivers keep the contract that they are the reference of."""

import pytest

from shoal.drivers.base import Broker, BrokerAdmin, Store
from shoal.drivers.memory import MemoryBroker, MemoryStore
from shoal.model import catalog
from tests.conformance.broker import AnswerContract, FetchContract, LossContract, PublishContract
from tests.conformance.inbox import InboxContract
from tests.conformance.outbox import (
    FailureContract,
    MigrationContract,
    OutboxContract,
    QueryContract,
)
from tests.conformance.store import ConflictContract, LockContract, TransactionContract


class Bus:
    """One broker that everybody shares."""

    capabilities = catalog.engine("memory-bus").capabilities

    def __init__(self) -> None:
        self._broker = MemoryBroker()

    async def broker(self, user: str) -> Broker:
        return self._broker

    def admin(self) -> BrokerAdmin:
        return self._broker

    async def crash(self) -> None:
        raise NotImplementedError

    async def start(self) -> None:
        raise NotImplementedError


class Shelf:
    """One store that everybody shares."""

    capabilities = catalog.engine("memory").capabilities

    def __init__(self) -> None:
        self._store = MemoryStore()

    async def store(self) -> Store:
        return self._store

    async def crash(self) -> None:
        raise NotImplementedError

    async def start(self) -> None:
        raise NotImplementedError


class OnShelf:
    """The engine of tests of stores."""

    @pytest.fixture
    def harness(self) -> Shelf:
        return Shelf()


class OnBus:
    """The engine of tests of brokers."""

    @pytest.fixture
    def harness(self) -> Bus:
        return Bus()


class TestTransactions(OnShelf, TransactionContract):
    pass


class TestConflicts(OnShelf, ConflictContract):
    pass


class TestLocks(OnShelf, LockContract):
    pass


class TestQueries(OnShelf, QueryContract):
    pass


class TestOutbox(OnShelf, OutboxContract):
    pass


class TestInbox(OnShelf, InboxContract):
    pass


class TestMigrations(OnShelf, MigrationContract):
    pass


class TestFailures(OnShelf, FailureContract):
    pass


class TestPublish(OnBus, PublishContract):
    pass


class TestFetch(OnBus, FetchContract):
    pass


class TestAnswer(OnBus, AnswerContract):
    pass


class TestLoss(OnBus, LossContract):
    pass
