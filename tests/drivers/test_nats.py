"""NATS JetStream keeps the contract of brokers, with the least rights a service can have."""

import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from shoal.drivers import broker_admin, open_broker
from shoal.drivers.base import Broker, BrokerAdmin, Message
from shoal.errors import EngineError, Unavailable
from shoal.local.engines import Running, nats, start
from shoal.model import catalog
from shoal.model.permissions import permissions
from shoal.model.plan import BrokerPlan, ConsumerPlan
from tests.conformance.broker import (
    MAIN,
    STREAM,
    AnswerContract,
    FetchContract,
    LossContract,
    PublishContract,
    store,
    stored,
)
from tests.conformance.harness import back, message, soon
from tests.conformance.rewinding import OperatorContract, RegressContract, RewindContract

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

PASSWORD = "p"
PLAN = BrokerPlan(
    engine="nats", user="service", stream=STREAM.name, publish=STREAM.subjects,
    consumers=(ConsumerPlan(stream=STREAM.name, durable=MAIN.name, subjects=MAIN.subjects, ack_wait=30.0),),
)  # fmt: skip
RIGHTS = permissions(PLAN)
USERS = (
    nats.NatsUser(name="operator", password=PASSWORD, publish=(">",), subscribe=(">",)),
    nats.NatsUser(name="service", password=PASSWORD, publish=RIGHTS.publish, subscribe=RIGHTS.subscribe),
)


class Harness:
    """A server of its own for one test: streams cannot be emptied through the contract."""

    capabilities = catalog.engine("nats").capabilities

    def __init__(self, directory: Path) -> None:
        self.options = nats.NatsOptions(directory=directory, users=USERS)
        self._opened: list[Broker] = []
        self._running: Running | None = None
        self._lines: list[str] = []

    def url(self, user: str, password: str = PASSWORD) -> str:
        assert self._running is not None
        return self._running.addresses["nats"].replace("nats://", f"nats://{user}:{password}@")

    async def broker(self, user: str) -> Broker:
        broker = open_broker(self.url(user))
        self._opened.append(broker)
        await broker.open()
        return broker

    def admin(self) -> BrokerAdmin:
        return broker_admin(self.url("operator"))

    async def start(self) -> None:
        self._running = await start(nats.recipe(self.options), on_line=self._lines.append)

    async def crash(self) -> None:
        assert self._running is not None
        await self._running.process.kill()

    def use(self, users: tuple[nats.NatsUser, ...]) -> None:
        assert self._running is not None
        nats.reload(self._running.process, replace(self.options, users=users))

    async def stop(self) -> None:
        for broker in self._opened:
            await soon(broker.close())
        assert self._running is not None
        await self._running.process.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def harness() -> AsyncIterator[Harness]:
    directory = Path(tempfile.mkdtemp(prefix="sh-", dir="/tmp"))
    harness = Harness(directory)
    await harness.start()
    yield harness
    await harness.stop()
    shutil.rmtree(directory, ignore_errors=True)


async def absent(broker: Broker) -> None:
    with contextlib.suppress(Unavailable):
        while True:
            await broker.ping()


class TestPublish(PublishContract):
    pass


class TestFetch(FetchContract):
    pass


class TestAnswer(AnswerContract):
    pass


class TestLoss(LossContract):
    pass


class TestRewind(RewindContract):
    pass


class TestRegress(RegressContract):
    pass


class TestOperator(OperatorContract):
    pass


async def test_a_refused_password_is_said_at_once_and_without_it(harness: Harness) -> None:
    with pytest.raises(EngineError, match="was refused") as caught:
        await open_broker(harness.url("service", "wr0ng")).open()
    assert "wr0ng" not in str(caught.value)


async def test_it_connects_anew_after_the_server_has_sent_it_away(harness: Harness) -> None:
    broker = await harness.broker("service")
    await harness.admin().declare([STREAM], [MAIN])
    harness.use(USERS[:1])
    await soon(absent(broker))
    harness.use(USERS)
    await store(broker, [message(1)])
    (delivery,) = await back(lambda: broker.fetch(MAIN, 1, 5.0))
    assert delivery.message == message(1)


async def test_a_message_that_is_too_large_is_an_error_of_its_own(harness: Harness) -> None:
    broker = await harness.broker("service")
    large = Message(id="large", subject=STREAM.subjects[0], body=b"x" * 1024 * 1024 + b"x")
    await harness.admin().declare([STREAM], [MAIN])
    refused, taken = await broker.publish([large, message(1)])
    assert isinstance(refused, EngineError)
    assert not isinstance(refused, Unavailable)
    assert "larger than NATS takes" in str(refused)
    assert stored(taken).sequence == 1


async def test_without_a_server_it_is_unavailable(harness: Harness) -> None:
    await harness.crash()
    with pytest.raises(Unavailable):
        await soon(open_broker(harness.url("service")).open())
