"""The reference drivers keep the contract that they are the reference of."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shoal.drivers.base import Broker, BrokerAdmin, Cache, Store
from shoal.drivers.memory import MemoryBroker, MemoryCache, MemoryStore
from shoal.model import catalog
from tests.conformance.broker import AnswerContract, FetchContract, LossContract, PublishContract
from tests.conformance.cache import MINE, ClaimContract, FencedLeaseContract, StepContract, ValueContract
from tests.conformance.inbox import InboxContract
from tests.conformance.ledger import AgeContract, LedgerContract, OwnTableContract
from tests.conformance.outbox import (
    FailureContract,
    MigrationContract,
    OutboxContract,
    QueryContract,
)
from tests.conformance.rewinding import OperatorContract, RegressContract, RewindContract
from tests.conformance.rights import LeaseContract
from tests.conformance.savepoints import SavepointContract
from tests.conformance.store import ConflictContract, LockContract, TransactionContract
from tests.conformance.twins import TwinContract
from tests.conformance.versions import VersionContract


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


class Drawers:
    """A cache for each service, whose time the test moves."""

    capabilities = catalog.engine("memory-cache").capabilities

    def __init__(self) -> None:
        self._caches: dict[str, MemoryCache] = {}
        self._now = 0.0

    async def cache(self, name: str = MINE) -> Cache:
        return self._caches.setdefault(name, MemoryCache(lambda: self._now))

    async def later(self, seconds: float) -> None:
        self._now += seconds

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
        return self._store.peer()

    async def vanish(self, store: Store) -> None:
        assert isinstance(store, MemoryStore)
        store.vanish()

    async def age(self, days: float) -> None:
        state, seconds = self._store._state, days * 86_400
        for entry in state.outbox.values():
            entry.created_at -= seconds
        state.inbox = {replace(mark, at=mark.at - timedelta(days=days)) for mark in state.inbox}
        state.answered = {key: at - seconds for key, at in state.answered.items()}

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


class OnDrawers:
    """The engine of tests of caches."""

    @pytest.fixture
    def harness(self) -> Drawers:
        return Drawers()


class TestValues(OnDrawers, ValueContract):
    pass


class TestSteps(OnDrawers, StepContract):
    pass


class TestClaims(OnDrawers, ClaimContract):
    pass


class TestFencedLeases(OnDrawers, FencedLeaseContract):
    pass


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


class TestSavepoints(OnShelf, SavepointContract):
    pass


class TestLeases(OnShelf, LeaseContract):
    pass


class TestLedger(OnShelf, LedgerContract):
    pass


class TestAge(OnShelf, AgeContract):
    pass


class TestOwnTables(OnShelf, OwnTableContract):
    pass


class TestMigrations(OnShelf, MigrationContract):
    pass


class TestFailures(OnShelf, FailureContract):
    pass


class TestTwins(OnShelf, TwinContract):
    pass


class TestVersions(OnShelf, VersionContract):
    pass


class TestPublish(OnBus, PublishContract):
    pass


class TestFetch(OnBus, FetchContract):
    pass


class TestAnswer(OnBus, AnswerContract):
    pass


class TestLoss(OnBus, LossContract):
    pass


class TestRewind(OnBus, RewindContract):
    pass


class TestRegress(OnBus, RegressContract):
    pass


class TestOperator(OnBus, OperatorContract):
    pass
