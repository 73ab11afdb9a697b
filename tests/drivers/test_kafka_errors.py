"""What the driver makes of errors: those of one stream are not those of all, and none ends it for good."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from shoal.drivers.base import Message, Published
from shoal.errors import EngineError, Unavailable
from tests.conformance.harness import back, soon

pytest.importorskip("aiokafka", reason="needs shoal[kafka]")

from shoal.drivers.kafka import admin, library, link, wire
from shoal.drivers.kafka.address import Address
from shoal.drivers.kafka.broker import KafkaBroker
from tests.drivers.kafka_played import BAD, CORRUPT, GOOD, NO_REPLICAS, NOT_LEADER, Cluster

pytestmark = pytest.mark.asyncio

URL = "kafka://one:1"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often connecting was in vain before each pause; none takes time."""
    found = list[int]()

    def none(attempt: int) -> float:
        found.append(attempt)
        return 0.0

    monkeypatch.setattr(link, "reconnecting", none)
    return found


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, pauses: list[int]) -> Cluster:
    assert not pauses
    found = Cluster()
    found.play(monkeypatch)
    return found


@pytest_asyncio.fixture
async def broker(cluster: Cluster) -> AsyncIterator[KafkaBroker]:
    assert cluster.records
    found = KafkaBroker(URL)
    await found.open()
    yield found
    await soon(found.close())


async def heard(broker: KafkaBroker) -> list[str]:
    """Fetch of the good stream, through what is lost meanwhile."""
    found = await back(lambda: broker.fetch(GOOD, 10, 60))
    return [delivery.message.id for delivery in found]


async def until_lost(broker: KafkaBroker, epoch: int) -> None:
    async with asyncio.timeout(10):
        while broker.epoch == epoch:  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0)


async def test_who_leads_what_is_declared_is_asked_anew(cluster: Cluster, broker: KafkaBroker) -> None:
    await broker.rewind(GOOD)
    epoch = broker.epoch
    cluster.fail("wait", wire.DECLARED, NOT_LEADER)
    await until_lost(broker, epoch)
    cluster.fail("wait", wire.DECLARED, 0)
    cluster.say("good.one")
    assert await heard(broker) == ["good.one"]


async def test_an_error_is_not_taken_for_nothing_declared(cluster: Cluster) -> None:
    cluster.fail("fetch", wire.DECLARED, NOT_LEADER)
    with pytest.raises(Unavailable, match="what is declared: NotLeaderForPartition"):
        await KafkaBroker(URL).open()


async def test_a_node_is_read_again_although_connecting_was_in_vain_meanwhile(
    cluster: Cluster, broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh, failed = broker._registry.refresh, asyncio.Event()

    async def refuse() -> None:
        await broker._tail.follow("good")  # somebody uses what is about to fail
        await asyncio.sleep(0)
        failed.set()
        raise Unavailable("not yet")

    monkeypatch.setattr(broker._registry, "refresh", refuse)
    broker._link.lose()
    await soon(failed.wait())
    monkeypatch.setattr(broker._registry, "refresh", refresh)
    await back(lambda: broker.rewind(GOOD))
    cluster.say("good.one")
    assert await heard(broker) == ["good.one"]


async def test_a_partition_that_cannot_be_read_keeps_nobody_else_from_reading(
    cluster: Cluster, broker: KafkaBroker
) -> None:
    await broker.rewind(GOOD)
    await broker.rewind(BAD)
    epoch = broker.epoch
    waiting = asyncio.ensure_future(broker.fetch(BAD, 1, 60))
    cluster.fail("wait", "bad", CORRUPT)
    with pytest.raises(Unavailable, match="CorruptRecord"):
        await soon(waiting)
    cluster.fail("fetch", "bad", CORRUPT)
    for _ in range(3):
        with pytest.raises(Unavailable, match="CorruptRecord"):
            await soon(broker.fetch(BAD, 1, 60))
    cluster.say("good.one", "bad.one")
    assert await heard(broker) == ["good.one"]
    cluster.errors.clear()
    assert [d.message.id for d in await soon(broker.fetch(BAD, 1, 60))] == ["bad.one"]
    assert broker.epoch == epoch


async def test_a_partition_without_a_leader_keeps_nobody_else_from_reading(
    cluster: Cluster, broker: KafkaBroker
) -> None:
    await broker.rewind(GOOD)
    await broker.rewind(BAD)
    epoch = broker.epoch
    cluster.fail("metadata", "bad", 5)
    with pytest.raises(Unavailable, match="LeaderNotAvailable"):
        await broker.position("bad")
    with pytest.raises(Unavailable, match="LeaderNotAvailable"):
        await soon(broker.fetch(BAD, 1, 60))
    cluster.say("good.one")
    assert (await heard(broker), broker.epoch) == (["good.one"], epoch)


async def test_only_who_leads_is_a_reason_to_begin_anew_when_nothing_is_stored(
    cluster: Cluster, broker: KafkaBroker
) -> None:
    epoch = broker.epoch
    for error, lost in ((NO_REPLICAS, 0), (NOT_LEADER, 1)):
        cluster.fail("produce", "good", error)
        (outcome,) = await broker.publish([Message(id="1", subject="good.one", body=b"")])
        assert isinstance(outcome, Unavailable)
        assert broker.epoch == epoch + lost


async def test_what_was_refused_is_not_missed_in_the_stream(broker: KafkaBroker) -> None:
    messages = [Message(id=f"{n}", subject="good.one", body=b"large" if n == 1 else b"") for n in range(600)]
    outcomes = await broker.publish(messages, after=0)
    assert [n for n, outcome in enumerate(outcomes) if not isinstance(outcome, Published)] == [1]


async def test_connections_that_end_soon_are_made_again_after_longer_and_longer(
    cluster: Cluster, broker: KafkaBroker, pauses: list[int]
) -> None:
    assert cluster.records
    for _ in range(4):
        broker._link.lose()
        assert broker._link._reopening is not None
        await soon(broker._link._reopening)
    assert pauses == [0, 1, 2]


async def test_connecting_goes_on_whatever_the_client_raises(
    cluster: Cluster, broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, failures = library.connect, [RuntimeError("of the client"), LookupError("another")]

    async def fails(*args: Any) -> object:
        if failures:
            raise failures.pop()
        return await connect(*args)

    monkeypatch.setattr(library, "connect", fails)
    broker._link.lose()
    cluster.say("good.one")
    assert (await heard(broker), failures) == (["good.one"], [])


async def test_the_trust_store_is_read_once(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    made = itertools.count(1)
    monkeypatch.setattr(Address, "tls_context", lambda _self: next(made))
    broker = KafkaBroker(URL + "?tls=1")
    await broker.open()
    await broker.rewind(GOOD)
    await broker.close()
    assert len(cluster.dialled) > 2
    assert set(cluster.dialled) == {1}


async def test_a_sign_of_life_does_not_need_the_offsets(cluster: Cluster, broker: KafkaBroker) -> None:
    cluster.say("good.one")
    (delivery,) = await soon(broker.fetch(GOOD, 1, 60))
    await delivery.ack()
    cluster.fail("commit", "good", NO_REPLICAS)
    await broker.ping()


@pytest.mark.parametrize("asked", ["lags", "read", "remove"])
async def test_an_error_is_not_taken_for_the_end_by_the_operator(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    cluster.say("good.one")
    monkeypatch.setattr(admin, "ends", lambda _link, _topic: asyncio.sleep(0, (0, 1)))
    monkeypatch.setattr("shoal.drivers.kafka.offsets.ends", lambda _link, _topic: asyncio.sleep(0, (0, 1)))
    monkeypatch.setattr(wire, "keeps", lambda _stream: True)
    cluster.fail("fetch", "good", CORRUPT)
    hands = admin.KafkaAdmin(URL)
    attempts = {"lags": lambda: hands.lags("good"), "read": lambda: hands.read("good", 0, 9)}
    with pytest.raises(EngineError, match="does not say what is in good: CorruptRecord"):
        await attempts.get(asked, lambda: hands.remove("good", [1]))()


async def test_far_behind_is_counted_without_reading_all(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin, "COUNTED_BYTES", 150)
    cluster.say(*(f"good.{number}" for number in range(9)))
    assert await admin.KafkaAdmin(URL).lags("good") == {"c": 9}


@pytest.mark.parametrize("leaving", ["close", "lose"])
async def test_a_connection_that_is_made_in_vain_is_closed(monkeypatch: pytest.MonkeyPatch, leaving: str) -> None:
    """A connection may be complete before the task that makes it can be stopped: asyncio then returns it."""
    dialled, dialling = list[Late](), asyncio.Event()

    async def connect(*_: object) -> Late:
        dialled.append(made := Late())
        if len(dialled) > 1:
            dialling.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        return made

    monkeypatch.setattr(library, "connect", connect)
    monkeypatch.setattr(library, "nodes", lambda _answer: {1: ("one", 1)})
    found = link.Link(Address(servers=(("one", 1),)), lambda: asyncio.sleep(0), lambda: None)
    await found.open()
    asked = asyncio.create_task(found.ask("something"))
    await soon(dialling.wait())
    if leaving == "lose":
        found.lose()
    await soon(found.close())
    with pytest.raises(Unavailable):
        await asked
    assert [one.closed for one in dialled] == [True] * len(dialled)


class Late:
    """A connection."""

    def __init__(self) -> None:
        self.closed = False

    async def send(self, _request: object) -> None:
        await asyncio.sleep(0)

    def close(self) -> "asyncio.Future[None]":
        self.closed = True
        return asyncio.ensure_future(asyncio.sleep(0))
