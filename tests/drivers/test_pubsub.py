"""Pub/Sub keeps the contract of brokers, as far as its row in the catalog goes; played by Google's emulator."""

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
from shoal.drivers.base import Broker, BrokerAdmin, Consumer, Delivery, Message, Stream
from shoal.drivers.pubsub import wire
from shoal.drivers.pubsub.address import read
from shoal.drivers.pubsub.link import Link
from shoal.errors import EngineError, HostError, Unavailable
from shoal.local.engines import Running, pubsub, start
from shoal.local.ports import free_port
from shoal.local.urls import pubsub_url
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

if "SHOAL_MATRIX" not in os.environ:
    pytest.skip("`make matrix` asks this of Pub/Sub", allow_module_level=True)
try:
    pubsub.locate()
except HostError as error:
    pytest.skip(f"{error.message}: {error.hint}", allow_module_level=True)

pytestmark = [
    pytest.mark.live,
    pytest.mark.asyncio(loop_scope="module"),
]

ROW = catalog.engine("pubsub")
PROJECTS = itertools.count(1)


class Harness:
    """A project of its own for one test, at a server for all."""

    capabilities = ROW.capabilities - ROW.lacking_here

    def __init__(self, directory: Path) -> None:
        self.options = pubsub.PubsubOptions(directory=directory, port=free_port())
        self.project = ""
        self._opened: list[Broker] = []
        self._running: Running | None = None

    @property
    def url(self) -> str:
        return pubsub_url(self.options.port, self.project)

    async def broker(self, user: str) -> Broker:
        broker = open_broker(self.url)
        self._opened.append(broker)
        await broker.open()
        return broker

    def admin(self) -> BrokerAdmin:
        return broker_admin(self.url)

    async def start(self) -> None:
        self._running = await start(pubsub.recipe(self.options), on_line=lambda _: None)

    async def crash(self) -> None:
        assert self._running is not None
        await self._running.process.kill()

    async def clear(self) -> None:
        """Forget everybody who connected, and everything that there was."""
        opened, self._opened = self._opened, []
        await soon(asyncio.gather(*(broker.close() for broker in opened)))


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
    server.project = f"project-{next(PROJECTS)}"
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


async def handled(broker: Broker, count: int, consumer: Consumer = MAIN) -> list[str]:
    """Take and answer so many: of a key nothing more is given out before."""
    found: list[Delivery] = []
    while len(found) < count:
        found += (some := await gather(broker, 1, consumer))
        for delivery in some:
            await delivery.ack()
    return ids(found)


@asynccontextmanager
async def raw(harness: Harness) -> AsyncIterator[Link]:
    """Ask the emulator without the driver."""
    link = Link(read(harness.url))
    try:
        yield link
    finally:
        await link.close()


async def test_letters_stay_until_they_are_removed(harness: Harness) -> None:
    await harness.admin().declare([LETTERS], [])
    await harness.admin().publish([message(number, "t.dead", key="k") for number in range(1, 151)])
    for _ in range(2):  # reading takes nothing away
        found = await harness.admin().read(LETTERS.name, 0, 1000)
        assert [kept.message.id for kept in found] == [f"m{number}" for number in range(1, 151)]
        assert [kept.sequence for kept in found] == sorted({kept.sequence for kept in found})
    assert [kept.sequence for kept in await harness.admin().read(LETTERS.name, found[3].sequence, 2)] == [
        kept.sequence for kept in found[4:6]
    ]
    for _ in range(2):  # what is gone is passed over, and so is what never was
        await harness.admin().remove(LETTERS.name, [kept.sequence for kept in found[5:]] + [99])
    assert await harness.admin().read(LETTERS.name, 0, 100) == found[:5]


async def test_letters_are_read_in_turn_and_declaring_again_lets_nobody_in(harness: Harness) -> None:
    await harness.admin().declare([LETTERS], [])
    await harness.admin().publish([message(number, "t.dead") for number in range(30)])
    reading = [asyncio.create_task(harness.admin().read(LETTERS.name, 0, 100)) for _ in "abc"]
    await harness.admin().declare([LETTERS], [])
    assert [len(found) for found in await soon(asyncio.gather(*reading))] == [30, 30, 30]
    assert [*map(list, await harness.admin().missing([LETTERS], []))] == [[], []]
    async with raw(harness) as link:
        await link.ask("DELETE", link.subscription(wire.turn_name(LETTERS.name)))
    assert [*map(list, await harness.admin().missing([LETTERS], []))] == [[LETTERS], []]


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
    await one.close()  # gives back what it has in hand
    assert await handled(two, 5) == [f"m{number}" for number in range(1, 6)]


async def test_a_reader_that_uses_its_consumer_no_more_lets_go_of_all_in_order(harness: Harness) -> None:
    quick = Consumer(stream=STREAM.name, name="main", subjects=STREAM.subjects, ack_wait=0.5)
    one, two = await service(harness, quick), await harness.broker("service")
    await store(one, [message(number, key="k") for number in range(6)])
    await gather(one, 2, quick)
    assert await handled(two, 6, quick) == [f"m{number}" for number in range(6)]


async def test_a_reader_keeps_what_it_works_on_longer_than_its_subscription_allows(harness: Harness) -> None:
    brief = Consumer(stream=STREAM.name, name="main", subjects=STREAM.subjects, ack_wait=5.0)
    one, two = await service(harness, brief), await harness.broker("service")
    await store(one, [message(1, key="k"), message(2, key="k")])
    taken = await gather(one, 2, brief)
    deadline = asyncio.get_running_loop().time() + wire.LEAST_DEADLINE + 2
    while asyncio.get_running_loop().time() < deadline:
        await taken[0].progress()
        assert not await two.fetch(brief, 1, 0.5)
    for delivery in taken:
        await delivery.ack()
    await one.ping()
    await store(one, [message(3, key="k")])
    assert ids(await gather(two, 1, brief)) == ["m3"]


async def test_who_is_declared_later_hears_what_is_published_once_more_and_in_order(harness: Harness) -> None:
    broker = await service(harness)
    before = await broker.position(STREAM.name)
    paid = [message(number, "t.event.paid", key="k") for number in range(3)]
    await store(broker, paid[:2])
    publisher = await harness.broker("service")  # which has not looked since
    await harness.admin().declare([], [PAID])
    await store(publisher, paid[2:])  # it would come before the others
    after = await broker.position(STREAM.name)
    assert before is not None
    assert after is not None
    assert before.made != after.made
    await store(broker, paid)  # as a relay does that sees another stream
    operator = await harness.broker("operator")
    assert await handled(operator, 3, PAID) == ["m0", "m1", "m2"]
    await harness.admin().declare([STREAM], [MAIN, PAID])
    assert await broker.position(STREAM.name) == after  # nobody is new


async def test_a_subscription_that_is_gone_or_hears_another_part_is_made_good(harness: Harness) -> None:
    broker = await service(harness)
    before = await broker.position(STREAM.name)
    async with raw(harness) as link:
        await link.ask("DELETE", link.subscription(wire.subscription_name(STREAM.name, MAIN.name)))
    assert [*map(list, await harness.admin().missing([STREAM], [MAIN]))] == [[], [MAIN]]
    with pytest.raises(Unavailable, match="no consumer main"):
        await soon(broker.fetch(MAIN, 1, 10))
    await harness.admin().declare([], [MAIN])
    after = await broker.position(STREAM.name)
    narrow = Consumer(stream=STREAM.name, name=MAIN.name, subjects=STREAM.subjects[:1])
    await harness.admin().declare([], [narrow])  # a filter cannot be changed
    assert before is not None
    assert after is not None
    assert before.made != after.made != (await harness.admin().positions())[STREAM.name].made


async def test_a_topic_that_is_gone_is_missed_with_its_consumers(harness: Harness) -> None:
    broker = await service(harness)
    async with raw(harness) as link:
        await link.ask("DELETE", link.topic(STREAM.name))
    assert [type(outcome) for outcome in await broker.publish([message(1)])] == [Unavailable]
    assert await broker.position(STREAM.name) is None
    streams, consumers = await harness.admin().missing([STREAM], [MAIN])
    assert (list(streams), list(consumers)) == ([STREAM], [MAIN])
    await harness.admin().declare(streams, consumers)
    assert await broker.position(STREAM.name) is not None
    await store(broker, [message(1)])
    await broker.rewind(MAIN)
    assert ids(await gather(broker, 1)) == ["m1"]


async def test_what_something_else_published_and_what_nobody_declared_is_passed_over(harness: Harness) -> None:
    broker = await service(harness, PAID)
    async with raw(harness) as link:
        await link.ask("POST", f"{link.topic(STREAM.name)}:publish", {"messages": [{"data": "bm9uZSBvZiBvdXJz"}]})
    await store(broker, [message(1), message(2, "t.event.paid"), message(3)])
    assert ids(await gather(broker, 1, PAID)) == ["m2"]
    assert not await broker.fetch(PAID, 1, SHORT)


async def test_large_messages_are_sent_in_requests_that_pubsub_takes(harness: Harness) -> None:
    broker = await service(harness)
    large = [Message(id=f"m{n}", subject=STREAM.subjects[0], body=b"x" * 1_500_000) for n in range(7)]
    huge = Message(id="huge", subject=STREAM.subjects[0], body=b"x" * wire.LARGEST)
    *taken, refused, last = await soon(broker.publish([*large, huge, message(7)]))
    assert isinstance(refused, EngineError)
    assert not isinstance(refused, Unavailable)
    for outcome in (*taken, last):
        stored(outcome)
    assert sorted(ids(await gather(broker, 8))) == [f"m{n}" for n in range(8)]


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


async def test_an_answer_from_before_the_server_came_back_empty_counts_for_nothing(harness: Harness) -> None:
    one = await service(harness)
    await store(one, [message(number) for number in range(3)])
    old = await gather(one, 3)
    await harness.crash()
    with pytest.raises(Unavailable):
        await soon(one.ping())
    await harness.start()
    await harness.admin().declare([STREAM], [MAIN])
    two = await harness.broker("service")
    await store(two, [message(number) for number in range(5, 8)])
    await gather(two, 3)
    for delivery in old:  # the emulator calls these as it called others before
        await delivery.ack()
    await one.ping()
    await two.close()
    assert sorted(ids(await gather(await harness.broker("service"), 3))) == ["m5", "m6", "m7"]


async def test_without_a_server_it_is_unavailable(harness: Harness) -> None:
    await harness.crash()
    with pytest.raises(Unavailable):
        await soon(open_broker(harness.url).open())
    await harness.start()
