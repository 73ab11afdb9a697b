"""SNS and SQS keep the contract of brokers, as far as their row in the catalog goes; played by MiniStack."""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from shoal.drivers import broker_admin, open_broker
from shoal.drivers.aws.address import read
from shoal.drivers.aws.client import AwsClient
from shoal.drivers.base import Broker, BrokerAdmin, Consumer, Message, Stream
from shoal.drivers.sns import wire
from shoal.errors import EngineError, Unavailable
from shoal.local.engines import Running, aws, start
from shoal.local.ports import free_port
from shoal.local.urls import aws_url
from shoal.model import catalog
from tests.conformance.broker import (
    MAIN,
    SHORT,
    STREAM,
    AnswerContract,
    FetchContract,
    LossContract,
    PublishContract,
    gather,
    ids,
    service,
    store,
    stored,
)
from tests.conformance.harness import back, message, soon
from tests.conformance.rewinding import OperatorContract, RegressContract, RewindContract

pytest.importorskip("aiobotocore", reason="needs shoal[aws]")
if "SHOAL_MATRIX" not in os.environ:
    pytest.skip("`make matrix` asks this of SNS and SQS", allow_module_level=True)

pytestmark = [
    pytest.mark.live,
    pytest.mark.asyncio(loop_scope="module"),
]

ROW = catalog.engine("sns")
ACCOUNTS = itertools.count(100_000_000_000)
"""The emulator takes twelve digits for an account, and shows each its own."""


class Harness:
    """An account of its own for one test, at a server for all."""

    capabilities = ROW.capabilities - ROW.lacking_here

    def __init__(self, directory: Path) -> None:
        self.options = aws.AwsOptions(directory=directory, port=free_port())
        self.account = next(ACCOUNTS)
        self._opened: list[Broker] = []
        self._running: Running | None = None

    @property
    def url(self) -> str:
        return aws_url("sns", self.options.port, str(self.account), "secret", "test")

    async def broker(self, user: str) -> Broker:
        broker = open_broker(self.url)
        self._opened.append(broker)
        await broker.open()
        return broker

    def admin(self) -> BrokerAdmin:
        return broker_admin(self.url)

    async def start(self) -> None:
        self._running = await start(aws.recipe(self.options), on_line=lambda _: None)

    async def crash(self) -> None:
        assert self._running is not None
        await self._running.process.kill()

    async def clear(self) -> None:
        """Forget everybody who connected, and everything that there was."""
        opened, self._opened = self._opened, []
        await soon(asyncio.gather(*(broker.close() for broker in opened)))
        self.account = next(ACCOUNTS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Harness]:
    directory = Path(tempfile.mkdtemp(prefix="sh-", dir="/tmp"))
    harness = Harness(directory)
    await harness.start()
    yield harness
    await harness.crash()
    shutil.rmtree(directory, ignore_errors=True)


@pytest_asyncio.fixture(loop_scope="module")
async def harness(server: Harness) -> AsyncIterator[Harness]:
    yield server
    await server.clear()


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


LETTERS = Stream(name="T_LETTERS", subjects=("t.dead", "t.again"), age=0.0)
PAID = Consumer(stream=STREAM.name, name="paid", subjects=("t.event.paid",))


@asynccontextmanager
async def raw(harness: Harness, interface: str) -> AsyncIterator[AwsClient]:
    """Ask an interface without the driver."""
    client = AwsClient(interface, read(harness.url))
    try:
        yield client
    finally:
        await client.close()


async def test_letters_stay_until_they_are_removed(harness: Harness) -> None:
    await harness.admin().declare([LETTERS], [])
    await harness.admin().publish([message(number, "t.dead", key="k") for number in range(1, 26)])
    for _ in range(2):  # reading takes nothing away
        found = await harness.admin().read(LETTERS.name, 0, 100)
        assert sorted(kept.message.id for kept in found) == sorted(f"m{number}" for number in range(1, 26))
        assert [kept.sequence for kept in found] == sorted({kept.sequence for kept in found})
    assert [kept.sequence for kept in await harness.admin().read(LETTERS.name, found[3].sequence, 2)] == [
        kept.sequence for kept in found[4:6]
    ]
    for _ in range(2):  # what is gone is passed over, and so is what never was
        await harness.admin().remove(LETTERS.name, [kept.sequence for kept in found[5:]] + [99])
    assert await harness.admin().read(LETTERS.name, 0, 100) == found[:5]
    assert (await harness.admin().positions())[LETTERS.name].count == 5


async def test_letters_that_somebody_else_reads_are_waited_for(harness: Harness) -> None:
    await harness.admin().declare([LETTERS], [])
    await harness.admin().publish([message(number, "t.dead") for number in range(30)])
    counts = [len(found) for found in await asyncio.gather(*(harness.admin().read(LETTERS.name, 0, 100) for _ in "ab"))]
    assert counts == [30, 30]


async def test_events_are_not_kept(harness: Harness) -> None:
    await store(await service(harness), [message(1)])
    with pytest.raises(EngineError, match="nothing of stream T_ORDERS that could be read again"):
        await harness.admin().read(STREAM.name, 0, 1)
    with pytest.raises(EngineError, match="nothing of stream T_ORDERS that could be removed"):
        await harness.admin().remove(STREAM.name, [1])


async def test_a_key_is_in_one_hand_at_a_time_and_is_handed_over_in_order(harness: Harness) -> None:
    one, two = await service(harness), await harness.broker("service")
    await store(one, [message(number, key="k") for number in range(5)])
    first, *_ = await gather(one, 5)
    await store(two, [message(5, key="k"), message(6, key="other")])
    assert ids(await gather(two, 1)) == ["m6"]
    await first.ack()
    assert not await two.fetch(MAIN, 10, SHORT)
    await one.close()  # gives back at once what it has in hand
    assert ids(await gather(two, 5)) == [f"m{number}" for number in range(1, 6)]


async def test_who_is_declared_later_hears_what_is_published_once_more_and_in_order(harness: Harness) -> None:
    broker = await service(harness)
    before = await broker.position(STREAM.name)
    paid = [message(number, "t.event.paid", key="k") for number in range(3)]
    await store(broker, paid[:2])
    await harness.admin().declare([], [PAID])
    await store(broker, paid[2:])  # by one who has not looked yet: it would come before the others
    after = await broker.position(STREAM.name)
    assert before is not None
    assert after is not None
    assert before.made != after.made
    await store(broker, paid)  # as a relay does that sees another stream
    operator = await harness.broker("operator")
    assert ids(await gather(operator, 3, PAID)) == ["m0", "m1", "m2"]
    await harness.admin().declare([STREAM], [MAIN, PAID])
    assert await broker.position(STREAM.name) == after  # nobody is new


async def test_a_declaration_that_was_broken_off_is_finished_by_the_next(harness: Harness) -> None:
    broker = await service(harness)
    before = await broker.position(STREAM.name)
    assert before is not None
    async with raw(harness, "sqs") as queues:
        url = (await queues.ask("get_queue_url", QueueName=wire.queue_name(STREAM.name, MAIN.name)))["QueueUrl"]
        later = int(before.made) + 1
        await queues.ask("tag_queue", QueueUrl=url, Tags={wire.SINCE: str(later)})
    await harness.admin().declare([STREAM], [MAIN])
    after = await broker.position(STREAM.name)
    assert after is not None
    assert int(after.made) == later


async def test_a_consumer_that_no_longer_hears_is_missed_and_made_good(harness: Harness) -> None:
    broker = await service(harness)
    before = await broker.position(STREAM.name)
    async with raw(harness, "sns") as topics:
        (found,) = (await topics.ask("list_subscriptions"))["Subscriptions"]
        await topics.ask("unsubscribe", SubscriptionArn=found["SubscriptionArn"])
    assert [*map(list, await harness.admin().missing([STREAM], [MAIN]))] == [[], [MAIN]]
    await harness.admin().declare([], [MAIN])
    after = await broker.position(STREAM.name)
    assert before is not None
    assert after is not None
    assert before.made != after.made
    await store(broker, [message(1)])
    await broker.rewind(MAIN)
    assert ids(await gather(broker, 1)) == ["m1"]


async def test_a_topic_that_is_gone_is_missed_with_its_consumers(harness: Harness) -> None:
    broker = await service(harness)
    async with raw(harness, "sns") as topics:
        (found,) = (await topics.ask("list_topics"))["Topics"]
        await topics.ask("delete_topic", TopicArn=found["TopicArn"])
    assert await broker.position(STREAM.name) is None
    assert [type(outcome) for outcome in await broker.publish([message(1)])] == [Unavailable]
    streams, consumers = await harness.admin().missing([STREAM], [MAIN])
    assert (list(streams), list(consumers)) == ([STREAM], [MAIN])
    await harness.admin().declare(streams, consumers)
    assert await broker.position(STREAM.name) is not None
    await store(broker, [message(1)])
    await broker.rewind(MAIN)
    assert ids(await gather(broker, 1)) == ["m1"]


async def test_what_something_else_sent_is_passed_over(harness: Harness) -> None:
    broker = await service(harness)
    async with raw(harness, "sns") as topics:
        (found,) = (await topics.ask("list_topics"))["Topics"]
        attributes = {wire.SUBJECT: {"DataType": "String", "StringValue": STREAM.subjects[0]}}
        words = {"MessageGroupId": "g", "MessageDeduplicationId": "d", "MessageAttributes": attributes}
        await topics.ask("publish", TopicArn=found["TopicArn"], Message="no message of ours", **words)
    await store(broker, [message(1)])
    assert ids(await gather(broker, 1)) == ["m1"]
    await broker.ping()
    assert dict(await harness.admin().lags(STREAM.name)) == {"main": 1}


async def test_large_messages_are_sent_in_batches_that_a_topic_takes(harness: Harness) -> None:
    broker = await service(harness)
    large = [Message(id=f"m{n}", subject=STREAM.subjects[0], body=b"x" * 100_000) for n in range(7)]
    huge = Message(id="huge", subject=STREAM.subjects[0], body=b"x" * wire.LARGEST)
    *taken, refused, last = await broker.publish([*large, huge, message(7)])
    assert isinstance(refused, EngineError)
    assert not isinstance(refused, Unavailable)
    for outcome in (*taken, last):
        stored(outcome)
    assert ids(await gather(broker, 8)) == [f"m{n}" for n in range(8)]


async def test_a_server_that_comes_back_empty_is_seen_and_taken_up_again(harness: Harness) -> None:
    broker = await service(harness)
    await store(broker, [message(number) for number in range(10)])
    for delivery in await gather(broker, 10):
        await delivery.ack()
    before = await broker.position(STREAM.name)
    epoch = broker.epoch
    waiting = asyncio.create_task(broker.fetch(MAIN, 1, 60))
    await broker.ping()
    await harness.crash()
    with pytest.raises(Unavailable):
        await soon(waiting)
    for attempt in (broker.ping(), broker.position(STREAM.name), broker.rewind(MAIN), broker.fetch(MAIN, 1, 10)):
        with pytest.raises(Unavailable):
            await soon(attempt)
    assert [type(outcome) for outcome in await soon(broker.publish([message(10)]))] == [Unavailable]
    await harness.start()
    assert await back(lambda: broker.position(STREAM.name)) is None
    assert broker.epoch > epoch
    with pytest.raises(Unavailable, match="no consumer main"):
        await broker.fetch(MAIN, 1, 0.1)
    await harness.admin().declare([STREAM], [MAIN])
    after = await broker.position(STREAM.name)
    assert before is not None
    assert after is not None
    assert before.made != after.made
    await store(broker, [message(number) for number in range(5, 8)])
    await broker.rewind(MAIN)
    assert [delivery.number for delivery in await gather(broker, 3)] == [1, 2, 3]


async def test_without_a_server_it_is_unavailable(harness: Harness) -> None:
    await harness.crash()
    with pytest.raises(Unavailable):
        await soon(open_broker(harness.url).open())
    await harness.start()
