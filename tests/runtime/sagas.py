"""A service with a saga of four steps whose every part can be made to fail, and a bank that counts what it is asked."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import msgspec

from shoal import (
    Postgres,
    Problem,
    Saga,
    Service,
    ShoalError,
    StepRefused,
    System,
    Transaction,
    Unavailable,
    anyone,
    contract,
    internal,
    pivot,
    post,
    record,
    retriable,
    step,
)
from shoal.drivers.base import Query, Store
from shoal.drivers.memory import MemoryStore
from shoal.runtime.asgi import request
from shoal.runtime.clients import Answer, LocalTransport
from shoal.runtime.config import ServiceConfig
from shoal.runtime.host import Fittings, Host
from shoal.runtime.sagas.housekeeping import journal
from shoal.runtime.sagas.instances import SAGAS_TABLE, Entry, Instance, from_row
from shoal.runtime.sagas.runner import SagaSide
from shoal.runtime.tables import table_of
from shoal.testing import MovableClock

FAILURES: Mapping[str, type[Exception]] = {
    "exception": ValueError,
    "permanent": StepRefused,
    "problem": Problem,
    "outage": Unavailable,
    "timeout": TimeoutError,
}


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """What the saga knows."""

    city: str
    seats: tuple[str, ...] = ()


@record("bookings", key="id")
class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """What a step has done in the store."""

    id: str
    what: str


class Script:
    """What the parts of the saga do when they are called; all is well when nothing is said."""

    def __init__(self) -> None:
        self.failures: dict[str, list[Exception | str]] = {}
        self.calls: list[str] = []
        self.keys: dict[str, set[str]] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.reached: dict[str, asyncio.Event] = {}

    def fail(self, part: str, times: int, how: str = "exception") -> None:
        self.failures[part] = [how] * times

    def hold(self, part: str) -> asyncio.Event:
        """Stop at a part, until the event is set; return what is set when it is reached."""
        self.gates[part], self.reached[part] = asyncio.Event(), asyncio.Event()
        return self.reached[part]

    async def play(self, part: str, saga: Saga[Any]) -> None:
        self.calls.append(part)
        self.keys.setdefault(part, set()).add(saga.idempotency_key)
        if part in self.gates:
            self.reached[part].set()
            await self.gates[part].wait()
        failures = self.failures.get(part)
        if not failures:
            return
        how = failures.pop(0)
        if how == "hang":
            await asyncio.Event().wait()
        if isinstance(how, Exception):
            raise how
        raise Problem(422, "no", "no") if how == "problem" else FAILURES[how](f"{part} fails by {how}")


@contract("bank")
class BankApi(Protocol):
    @post("/charges", access=internal, idempotent=True)
    async def charge(self, amount: int) -> int: ...


class Bank:
    """Counts what it is asked, by key; can lose answers, reject and be away."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.told: Mapping[str, str] = {}
        """Headers of the last question."""
        self.loses = 0
        self.status = 200


class Calls(LocalTransport):
    """Stands for the mesh and the bank behind it."""

    def __init__(self, bank: Bank) -> None:
        super().__init__()
        self.bank = bank

    async def send(
        self, service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, within: float
    ) -> Answer:
        assert (service, method) == ("bank", "POST")
        if self.bank.status != 200:
            return Answer(self.bank.status, b'{"type":"urn:x:closed","detail":"closed"}')
        self.bank.asked[headers["idempotency-key"]] += 1
        self.bank.told = headers
        if self.bank.loses:
            self.bank.loses -= 1
            raise TimeoutError
        return Answer(200, b"1")


def declare(travel: Service, script: Script, quick: dict[str, Any]) -> type[Saga[Trip]]:
    """Declare the saga of a service."""

    @travel.saga("trip", timeout=3600)
    class TripSaga(Saga[Trip]):
        """A trip."""

        async def cancel_seat(self, state: Trip, tx: Transaction) -> Trip:
            await script.play("cancel_seat", self)
            tx.delete(Booking, f"{self.key}-seat")
            return msgspec.structs.replace(state, seats=())

        @step(compensate=cancel_seat, **quick)
        async def book_seat(self, state: Trip, tx: Transaction) -> Trip:
            await script.play("book_seat", self)
            tx.put(Booking(id=f"{self.key}-seat", what=state.city))
            return msgspec.structs.replace(state, seats=("1A",))

        async def cancel_room(self, state: Trip, outside: Script) -> None:
            await script.play("cancel_room", self)

        @step(compensate=cancel_room, **quick)
        async def book_room(self, state: Trip, outside: Script) -> None:
            await script.play("book_room", self)

        @pivot(**quick)
        async def pay(self, state: Trip, tx: Transaction, bank: BankApi) -> None:
            await script.play("pay", self)
            await bank.charge(amount=100)
            tx.put(Booking(id=f"{self.key}-paid", what=state.city))

        @retriable(**quick)
        async def tell(self, state: Trip, tx: Transaction) -> None:
            await script.play("tell", self)
            tx.put(Booking(id=f"{self.key}-told", what=",".join(state.seats)))

    return TripSaga


class Travel:
    """The declared service, with a script of its own."""

    def __init__(self, **bounds: Any) -> None:
        self.script = script = Script()
        self.bank = Bank()
        memory = MemoryStore()
        self.store: Store = memory
        """As the test looks at it."""
        self.peer: Callable[[], Store] = memory.peer
        """Makes the store of one more replica."""
        self.clock = MovableClock()
        self.service = travel = Service("travel", store=Postgres(migrations="travel_tables"))
        self.service.module = __name__
        globals()["travel"] = travel
        trip = self.saga = declare(travel, script, {"attempts": 3, "backoff": 0.0, **bounds})

        @travel.provide
        def outside() -> Script:
            return script

        @travel.post("/trips/{key}", access=anyone, status=202)
        async def begin(key: str, tx: Transaction, fail: bool = False) -> bool:
            begun = await tx.start(trip, Trip(city="Rome"), key=key)
            if fail:
                raise Problem(409, "changed-my-mind", "no")
            return begun

    def host(self, replica: str = "0") -> Host:
        """Make one replica."""
        config = ServiceConfig(system="test", entry=self.service.entry, replica=replica, drain=1.0)
        fittings = Fittings(transport=Calls(self.bank), clock=self.clock, store=self.peer())
        return Host(self.service, config, fittings)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Host]:
        host = self.host()
        await host.start()
        try:
            yield host
        finally:
            await host.stop()

    async def begin(self, host: Host, key: str, *, fail: bool = False, headers: Mapping[str, str] = {}) -> int:
        target = f"/trips/{key}{'?fail=true' if fail else ''}"
        status, _, _ = await asyncio.create_task(request(host, "POST", target, headers, b""))
        return status

    async def find(self, key: str) -> Instance | None:
        async with self.store.session() as session:
            row = await session.get(SAGAS_TABLE, f"trip/{key}")
        return None if row is None else from_row(row)

    async def journal(self, key: str) -> list[Entry]:
        async with self.store.session() as session:
            return await journal(session, f"trip/{key}")

    async def bookings(self) -> set[str]:
        async with self.store.session() as session:
            return {str(row["id"]) for row in await session.find(table_of(Booking).table, Query())}

    async def until(self, key: str, *statuses: str, within: float = 10.0) -> Instance:
        """Wait until a saga has one of these statuses."""
        found = None
        try:
            async with asyncio.timeout(within):
                while True:
                    found = await self.find(key)
                    if found is not None and found.status in statuses:
                        return found
                    await asyncio.sleep(0.002)
        except TimeoutError:
            raise ShoalError(f"saga {key} is {found}; script: {self.script.calls}") from None


async def true(condition: Callable[[], bool], *, within: float = 10.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - no one object knows
            await asyncio.sleep(0.002)


def in_hand(host: Host) -> int:
    """Count the sagas that a replica drives at the moment."""
    return sum(len(side._in_hand) for side in host._sides if isinstance(side, SagaSide))


def system(travel: Travel) -> System:
    """Put the service into a system."""
    return System("test", services=[travel.service])


async def crash(host: Host) -> None:
    """End a replica as kill -9 does: whatever it does ends where it stands, and its rights pass on."""
    for side in host._sides:
        if not isinstance(side, SagaSide):
            await side.stop(0.0)
            continue
        tasks = [*side._tasks, *(task for _, task in side._in_hand.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert host.store is not None
    await host.store.close()
    if isinstance(host.store, MemoryStore):
        host.store.vanish()
