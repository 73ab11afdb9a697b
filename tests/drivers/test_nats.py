"""NATS JetStream keeps the contract of brokers, with the least rights a service can have."""

import asyncio
import contextlib
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from shoal.drivers import broker_admin, open_broker
from shoal.drivers.base import Broker, BrokerAdmin, Message, Stream
from shoal.drivers.nats import admin, wire
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
    gather,
    ids,
    store,
    stored,
)
from tests.conformance.harness import back, message, soon
from tests.conformance.rewinding import OperatorContract, RegressContract, RewindContract
from tests.drivers.silence import Proxy
from tests.listening import listening

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


@pytest.mark.parametrize("what", ["idle", "fetch", "publish"])
async def test_a_connection_that_leads_nowhere_is_replaced_within_seconds(harness: Harness, what: str) -> None:
    await harness.admin().declare([STREAM], [MAIN])
    proxy = Proxy(harness.url("service"))
    async with listening(proxy.serve) as port:
        broker = open_broker(f"nats://service:{PASSWORD}@127.0.0.1:{port}")
        await broker.open()
        await store(broker, [message(1)])
        epoch = broker.epoch
        proxy.fall_silent()
        async with asyncio.timeout(15):
            if what == "publish":
                (outcome,) = await broker.publish([message(2)])
                assert isinstance(outcome, Unavailable)
            elif what == "fetch":
                with pytest.raises(Unavailable):
                    await broker.fetch(MAIN, 10, 0.1)
            while broker.epoch == epoch:  # noqa: ASYNC110 - nothing tells when
                await asyncio.sleep(0.05)
        await store(broker, [message(2)])
        await back(lambda: broker.rewind(MAIN))
        assert ids(await gather(broker, 2)) == ["m1", "m2"]
        await broker.close()


async def test_the_kernel_ends_a_connection_over_which_nothing_arrives(harness: Harness) -> None:
    broker = await harness.broker("service")
    client = broker._connection._client  # type: ignore[attr-defined]
    found = client._transport._io_writer.get_extra_info("socket")
    assert found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        assert 0 < found.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 10_000


async def test_what_was_reported_lost_is_not_sent_after_the_connection_is_made_anew(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def blocked(*_: object, **__: object) -> None: ...

    await harness.admin().declare([STREAM], [MAIN])
    broker = await harness.broker("service")
    client = broker._connection._client  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setattr(client, "_flush_pending", blocked)  # as when the socket takes no more
        publishing = asyncio.create_task(broker.publish([message(1)]))
        async with asyncio.timeout(5):
            while not client._pending:  # noqa: ASYNC110 - nothing tells when
                await asyncio.sleep(0)
        client._transport._io_writer.transport.abort()
        (outcome,) = await publishing
        assert isinstance(outcome, Unavailable)
    await store(broker, [message(2)])
    await back(lambda: broker.rewind(MAIN))
    assert ids(await gather(broker, 1)) == ["m2"]
    assert broker._connection._client is client  # type: ignore[attr-defined]


async def test_the_end_of_an_earlier_client_is_no_loss_of_the_present_one(harness: Harness) -> None:
    broker = await harness.broker("service")
    connection = broker._connection  # type: ignore[attr-defined]
    former = connection._client
    await connection._connect()
    epoch = broker.epoch
    await former.close()
    assert broker.epoch == epoch


async def test_a_stream_refuses_what_is_too_large_for_it(harness: Harness) -> None:
    await harness.admin().declare([Stream(name="T_SMALL", subjects=("t.small",), largest=1000)], [])
    operator = await harness.broker("operator")
    refused, taken = await operator.publish(
        [Message(id="a", subject="t.small", body=b"x" * 1001), Message(id="b", subject="t.small", body=b"x" * 900)]
    )
    assert isinstance(refused, EngineError)
    assert not isinstance(refused, Unavailable)
    assert stored(taken).sequence == 1


async def test_a_fetch_is_bounded_in_bytes_too(harness: Harness) -> None:
    await harness.admin().declare([STREAM], [MAIN])
    broker = await harness.broker("service")
    body = b"x" * 250_000
    await broker.publish([msgspec.structs.replace(message(number), body=body) for number in range(40)])
    sizes, found = list[int](), set[str]()
    while some := await soon(broker.fetch(MAIN, 256, 0.1)):
        sizes.append(sum(len(delivery.message.body) for delivery in some))
        for delivery in some:
            found.add(delivery.message.id)
            await delivery.ack()
    assert len(found) == 40
    assert max(sizes) <= wire.MOST_BYTES


async def test_a_server_that_is_too_old_is_refused(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shoal.drivers.nats.client.OLDEST", (99, 0))
    with pytest.raises(EngineError, match=r"version 2\.\d+, which cannot rewind"):
        await open_broker(harness.url("service")).open()


async def test_streams_and_consumers_are_set_up_for_events() -> None:
    made = admin.stream_settings(STREAM)
    assert (made["storage"], made["retention"], made["discard"]) == ("file", "limits", "old")
    assert "persist_mode" not in made  # asynchronous ones lose what they acknowledged
    heard = admin.consumer_settings(MAIN)
    assert (heard["ack_policy"], heard["max_deliver"], heard["max_ack_pending"]) == ("explicit", -1, MAIN.max_in_hand)
    assert "backoff" not in heard  # it would replace the time that a delivery may take


async def test_a_server_that_syncs_at_intervals_is_refused(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    render = nats.render
    monkeypatch.setattr(nats, "render", lambda *a: render(*a).replace('"always"', '"2m"'))
    lazy = nats.NatsOptions(directory=harness.options.directory / "lazy", users=USERS)
    with pytest.raises(EngineError, match="before they are on the disk"):
        await start(nats.recipe(lazy), on_line=lambda _: None)


async def test_without_a_server_it_is_unavailable(harness: Harness) -> None:
    await harness.crash()
    with pytest.raises(Unavailable):
        await soon(open_broker(harness.url("service")).open())
