"""RabbitMQ keeps the contract of brokers, as far as its row in the catalog goes."""

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shoal.drivers import broker_admin, open_broker
from shoal.drivers.base import Broker, BrokerAdmin, Message, Stream
from shoal.errors import Contended, EngineError, HostError, Unavailable, Undeclared
from shoal.local.engines import Running, rabbitmq, start
from shoal.local.ports import free_port
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

pytest.importorskip("aiormq", reason="needs shoal[rabbitmq]")

from shoal.drivers.rabbitmq import wire
from shoal.drivers.rabbitmq.admin import RabbitAdmin


def _lacking() -> str:
    try:
        rabbitmq.locate()
    except HostError as error:
        return f"{error.message}: {error.hint}"
    return ""


if "SHOAL_MATRIX" not in os.environ:
    pytest.skip("`make matrix` asks this of RabbitMQ", allow_module_level=True)

if _lacking():
    pytest.skip(_lacking(), allow_module_level=True)

pytestmark = [
    pytest.mark.live,
    pytest.mark.asyncio(loop_scope="module"),
]

ROW = catalog.engine("rabbitmq")
USERS = (
    rabbitmq.RabbitUser(name="operator", password="op/er:ator@", operator=True),
    rabbitmq.RabbitUser(
        name="service",
        password="s%",
        publish=STREAM.subjects,
        streams=(STREAM.name,),
        consumers=(f"{STREAM.name}.{MAIN.name}",),
    ),
)


class Harness:
    """One server for all tests, which are begun with nothing in it."""

    capabilities = ROW.capabilities - ROW.lacking_here

    def __init__(self, directory: Path) -> None:
        self.options = rabbitmq.RabbitOptions(
            directory=directory, port=free_port(), erlang_port=free_port(), users=USERS
        )
        self._opened: list[Broker] = []
        self._running: Running | None = None

    def url(self, user: str) -> str:
        password = {"operator": "op%2Fer%3Aator%40", "service": "s%25"}[user]
        return f"rabbitmq://{user}:{password}@127.0.0.1:{self.options.port}/{rabbitmq.VHOST}"

    async def broker(self, user: str) -> Broker:
        broker = open_broker(self.url(user))
        self._opened.append(broker)
        await broker.open()
        return broker

    def admin(self) -> BrokerAdmin:
        return broker_admin(self.url("operator"))

    async def start(self) -> None:
        self._running = await start(rabbitmq.recipe(self.options), on_line=lambda _: None)

    async def crash(self) -> None:
        assert self._running is not None
        await self._running.process.kill()
        self._running = None

    async def empty(self) -> None:
        """Close what a test left open, and take away all that it made."""
        opened, self._opened = self._opened, []
        for broker in opened:
            await soon(broker.close())
        if self._running is None:
            await self.start()
        await wipe(self.url("operator"))


async def wipe(url: str) -> None:
    """Delete every queue that is declared."""
    async with RabbitAdmin(url)._connected() as (link, registry):
        queues = [known.stream.name for known in registry.known.streams]
        queues += [wire.place_queue(consumer) for consumer in registry.known.consumers]
        for queue in queues:
            channel = await link.channel()
            await link.ask(channel.delete_queue(queue))
        channel = await link.channel()
        await link.ask(channel.publish("", wire.DECLARED, b"{}", mark="nothing"))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
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
    await server.empty()


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


async def test_what_is_removed_of_letters_is_not_read(harness: Harness) -> None:
    await harness.admin().declare([LETTERS], [])
    await harness.admin().publish([message(number, "t.dead") for number in range(1, 6)])
    for _ in range(2):  # what is gone is passed over, and so is what never was
        await harness.admin().remove(LETTERS.name, [1, 2, 4, 99])
    assert [kept.sequence for kept in await harness.admin().read(LETTERS.name, 0, 10)] == [3, 5]
    assert [kept.sequence for kept in await harness.admin().read(LETTERS.name, 0, 1)] == [3]


async def test_events_cannot_be_removed(harness: Harness) -> None:
    await store(await service(harness), [message(1)])
    with pytest.raises(EngineError, match="single messages out of stream T_ORDERS"):
        await harness.admin().remove(STREAM.name, [1])


async def test_a_stream_that_is_shorter_than_it_was_is_noticed_although_it_took_the_message(harness: Harness) -> None:
    broker = await service(harness)
    await store(broker, [message(1)])
    outcomes = await broker.publish([message(5), message(6)], after=4)
    assert [type(outcome) for outcome in outcomes] == [Contended, Contended]
    fallen, now = [await broker.position(STREAM.name) for _ in range(2)]
    assert fallen is not None
    assert now is not None
    assert (fallen.last, now.last) == (1, 3)


async def test_a_stream_that_is_made_anew_is_another_and_is_read_from_its_beginning(harness: Harness) -> None:
    broker = await service(harness)
    await store(broker, [message(1), message(2)])
    for delivery in await gather(broker, 2):
        await delivery.ack()
    await broker.ping()
    before = await broker.position(STREAM.name)
    async with RabbitAdmin(harness.url("operator"))._connected() as (link, _):
        await link.ask((await link.channel()).delete_queue(STREAM.name))
    streams, _ = await harness.admin().missing([STREAM], [MAIN])
    assert list(streams) == [STREAM]
    await harness.admin().declare([STREAM], [MAIN])
    await store(broker, [message(3)])
    after = await broker.position(STREAM.name)
    assert before is not None
    assert after is not None
    assert before.made != after.made
    assert ids(await back(lambda: gather(broker, 1))) == ["m3"]


async def test_a_message_that_is_too_large_is_an_error_of_its_own(harness: Harness) -> None:
    broker = await service(harness)
    huge = Message(id="huge", subject=STREAM.subjects[0], body=b"x" * (1024 * 1024 + 1))
    refused, taken = await broker.publish([huge, message(1)])
    assert isinstance(refused, EngineError)
    assert not isinstance(refused, Unavailable)
    assert stored(taken).sequence == 1


async def test_messages_of_several_streams_keep_their_order_in_each(harness: Harness) -> None:
    await service(harness)
    await harness.admin().declare([LETTERS], [])
    operator = await harness.broker("operator")
    outcomes = await operator.publish([message(n, ("t.dead", "t.event.paid")[n % 2]) for n in range(1, 9)])
    places = [stored(outcome).sequence for outcome in outcomes]
    assert places == list(itertools.chain(*zip(range(1, 5), range(1, 5), strict=True)))


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
    assert max(sizes) <= 4_500_000


async def test_a_refused_password_is_said_at_once_and_without_it(harness: Harness) -> None:
    with pytest.raises(EngineError, match="as 'service' was refused") as caught:
        await open_broker(harness.url("service").replace("s%25", "wr0ng")).open()
    assert not isinstance(caught.value, Unavailable)
    assert "wr0ng" not in str(caught.value)


async def test_a_service_reads_and_publishes_nothing_else(harness: Harness) -> None:
    broker = await service(harness)
    await harness.admin().declare([LETTERS], [])
    with pytest.raises(Undeclared, match="T_LETTERS"):
        await soon(broker.position(LETTERS.name))
    with pytest.raises(EngineError, match="refused what is declared"):
        await soon(broker_admin(harness.url("service")).declare([Stream(name="T_MINE", subjects=("t.mine",))], []))


async def test_it_listens_on_loopback_only_and_leaves_its_files_to_nobody(harness: Harness) -> None:
    directory = harness.options.directory
    assert (directory / "home" / ".erlang.cookie").stat().st_mode & 0o077 == 0
    assert (directory / "definitions.json").stat().st_mode & 0o077 == 0
    rows = [row.split() for file in ("tcp", "tcp6") for row in _listed(file)]
    for port in (harness.options.port, harness.options.erlang_port):
        found = {row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")}
        assert found == {f"0100007F:{port:04X}"}


def _listed(file: str) -> list[str]:
    return Path("/proc/net", file).read_text("ascii").splitlines()[1:]
