"""The reference drivers keep the contract that they are the reference of."""

from shoal.drivers.base import Broker, BrokerAdmin, Store
from shoal.drivers.memory import MemoryBroker, MemoryStore
from shoal.model import catalog
from tests.conformance.outbox import (
    FailureContract,
    MigrationContract,
    OutboxContract,
    QueryContract,
)
from tests.conformance.store import ConflictContract, LockContract, TransactionContract
import pytest


class Harness:
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


@pytest.fixture
def harness() -> Harness:
    return Harness()


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
