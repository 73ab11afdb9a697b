"""Events from the outbox to their handlers: once, in order, through outages; poison gets out of the way."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from shoal import Clock, Postgres, Service, System, Transaction, anyone, event, record
from shoal.drivers.base import Message
from shoal.drivers.memory import MemoryBroker
from shoal.runtime.consuming import burial
from shoal.runtime.envelope import pack, unpack
from shoal.runtime.events import patiently
from shoal.runtime.trace import begin
from shoal.service.codec import Malformed
from shoal.service.marks import event_mark
from tests.runtime.world import World, running

SUBJECT = "sys.event.shop.sold.v1.0"


@event("shop.sold", key="item")
class Sold(msgspec.Struct, frozen=True):
    item: str
    number: int


@event("desk.counted", key="item")
class Counted(msgspec.Struct, frozen=True):
    item: str
    count: int


@record("counts", key="item")
class Count(msgspec.Struct, frozen=True):
    item: str
    count: int
    last: int


shop = Service("shop", store=Postgres(), publishes=[Sold])
desk = Service("desk", store=Postgres(), publishes=[Counted])
other = Service("other", store=Postgres())
attempts: list[tuple[str, int]] = []
failing: dict[str, int] = {}
heard: list[str] = []


@shop.post("/sold", access=anyone)
async def sell(sold: list[Sold], tx: Transaction) -> None:
    for one in sold:
        tx.publish(one)


@desk.on(Sold, attempts=3, backoff=10, timeout=5)
async def count(event: Sold, tx: Transaction, clock: Clock) -> None:
    for _ in range(30 - event.number):  # the earlier, the slower
        await asyncio.sleep(0)
    attempts.append((event.item, event.number))
    before = await tx.get(Count, event.item, lock=True)
    total = (before.count if before else 0) + 1
    tx.put(Count(event.item, total, event.number))
    tx.publish(Counted(event.item, total))
    await tx.flush()
    if failing.get(event.item, 0):
        failing[event.item] -= 1
        raise ValueError(f"{event.item} fails")


@desk.get("/counts/{item}", access=anyone)
async def show(item: str, tx: Transaction) -> Count:
    return await tx.require(Count, item)


@other.on(Counted)
async def counted(event: Counted, tx: Transaction) -> None:
    heard.append(event.item)


system = System("sys", services=[shop, desk, other])


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    attempts.clear()
    failing.clear()
    heard.clear()
    async with running(system, tmp_path) as world:
        yield world


async def sell_some(world: World, *sold: tuple[str, int]) -> None:
    answer = await world.post("/sold", json=[Sold(item, number) for item, number in sold])
    assert answer.status == 204


async def counts(world: World, item: str) -> tuple[int, int]:
    found = (await world.get(f"/counts/{item}")).json()
    return found["count"], found["last"]


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0.001)


async def test_events_of_one_key_are_handled_in_their_order(world: World) -> None:
    sold = [(item, number) for number in range(20) for item in ("a", "b", "c")]
    await sell_some(world, *sold)
    await world.settle()
    for item in ("a", "b", "c"):
        assert [n for i, n in attempts if i == item] == list(range(20))
        assert await counts(world, item) == (20, 19)


async def test_an_effect_and_what_it_announces_commit_together_and_go_on(world: World) -> None:
    await sell_some(world, ("a", 1), ("b", 1))
    await world.settle()
    assert sorted(heard) == ["a", "b"]
    said = [msgspec.json.decode(m.body) for m in world.broker.log("SYS_DESK")]
    assert sorted(s["subject"] for s in said) == ["a", "b"]


async def test_a_failure_leaves_nothing_and_comes_again_later(world: World) -> None:
    failing["a"] = 1
    await sell_some(world, ("a", 1))
    await until(lambda: attempts == [("a", 1)])
    await until(world.journals["desk"].read)
    assert (await world.get("/counts/a")).status == 404
    assert heard == []
    world.clock.advance(11)
    await world.settle()
    assert attempts == [("a", 1)] * 2
    assert await counts(world, "a") == (1, 1)
    assert heard == ["a"]


@pytest.fixture(name="waits")
def _waits(world: World, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the time of each wait pass at once, and note it."""
    waits: list[float] = []
    delay = burial.delay

    def noted(backoff: float, attempt: int) -> float:
        waits.append(delay(backoff, attempt))
        asyncio.get_running_loop().call_soon(world.clock.advance, waits[-1])
        return waits[-1]

    monkeypatch.setattr(burial, "delay", noted)
    return waits


async def test_each_wait_is_longer_than_the_one_before(world: World, waits: list[float]) -> None:
    failing["a"] = 2
    await sell_some(world, ("a", 1))
    await world.settle()
    assert await counts(world, "a") == (1, 1)
    first, second = waits
    assert 5 <= first <= 10 <= second <= 20


async def test_poison_goes_out_of_the_way_and_its_neighbours_go_on(world: World, waits: list[float]) -> None:
    failing["bad"] = 99
    await sell_some(world, ("bad", 1), ("good", 1))
    await world.settle()
    assert attempts.count(("bad", 1)) == 3
    assert await counts(world, "good") == (1, 1)
    [message], [letter] = world.dead("desk"), world.letters("desk")
    assert unpack(message).subject == "bad"
    assert letter.subject.startswith("sys.event.shop.sold.v1.")
    assert (letter.type, letter.key, letter.stream, letter.sequence) == ("shop.sold.v1", "bad", "SYS_SHOP", 1)
    assert (letter.attempts, letter.error) == (3, "ValueError: bad fails")
    assert [one.error for one in letter.history] == ["ValueError: bad fails"] * 3
    assert "test_events.py" in letter.stack[-1]
    await sell_some(world, ("good", 2))
    await world.settle()
    assert await counts(world, "good") == (2, 2)


async def test_a_message_that_comes_twice_has_one_effect(world: World) -> None:
    await sell_some(world, ("a", 1))
    await world.settle()
    [message] = world.broker.log("SYS_SHOP")
    world.clock.advance(10_000)
    await world.broker.publish([message])
    assert len(world.broker.log("SYS_SHOP")) == 2
    await world.settle()
    assert await counts(world, "a") == (1, 1)
    assert heard == ["a"]
    outcomes = [line["outcome"] for line in world.journals["desk"].read() if "outcome" in line]
    assert outcomes == ["ok", "duplicate"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"specversion":"1.0","id":"\xff","source":"/x","type":"shop.sold.v1","data":{}}',
        b'{"specversion":"1.0","id":"1","source":"/x","type":""}',
        b'{"specversion":"0.3","id":"1","source":"/x","type":"shop.sold.v1"}',
        b'{"id":"1","source":"/x","type":"shop.sold.v1"' + b',"data":' + b"[" * 100_000,
    ],
)
async def test_what_is_no_cloud_event_is_set_aside_at_once(
    world: World, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Malformed):
        unpack(Message(id="x", subject=SUBJECT, body=body))
    await world.broker.publish([Message(id="x", subject=SUBJECT, body=body)])
    await sell_some(world, ("a", 1))
    await world.settle()
    assert [m.body for m in world.dead("desk")] == [body]
    assert "CloudEvent" in world.letters("desk")[0].error
    assert "becomes a dead letter: not a CloudEvent" in caplog.text
    assert await counts(world, "a") == (1, 1)


async def test_a_cloud_event_of_another_producer_needs_no_more_than_the_standard_asks(world: World) -> None:
    body = b'{"specversion":"1.0","id":"1","source":"/x","type":"shop.sold.v1","ext":1,"data":{"item":"a","number":7}}'
    await world.broker.publish([Message(id="x", subject=SUBJECT, body=body)])
    await world.settle()
    assert await counts(world, "a") == (1, 7)


async def test_data_of_another_shape_is_poison_at_once(world: World) -> None:
    body = b'{"specversion":"1.0","id":"1","source":"/x","type":"shop.sold.v1","data":{"item":1}}'
    await world.broker.publish([Message(id="x", subject=SUBJECT, body=body)])
    await world.settle()
    assert "Expected `str`, got `int` - at `$.item`" in world.letters("desk")[0].error
    assert attempts == []


async def test_a_driver_that_breaks_its_word_does_not_end_the_consumer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: list[int] = []
    fetch = world.broker.fetch

    async def odd(*args: Any) -> Any:
        if not broken:
            broken.append(1)
            raise RuntimeError("a driver's mistake")
        return await fetch(*args)

    monkeypatch.setattr(world.broker, "fetch", odd)
    monkeypatch.setattr("shoal.runtime.consuming.feed.random.random", lambda: -1.0)
    await sell_some(world, ("a", 1))
    await world.settle()
    await sell_some(world, ("b", 1))
    await world.settle()
    assert broken == [1]
    assert await counts(world, "b") == (1, 1)


async def test_commands_are_accepted_while_the_broker_is_away(tmp_path: Path) -> None:
    heard.clear()
    async with running(system, tmp_path) as world:
        world.broker.away = True
        await sell_some(world, ("a", 1))
        await sell_some(world, ("a", 2))
        assert (await world.stores["shop"].backlog()).count == 2
        ready = await world.direct("shop", "GET", "/ready")
        assert (ready.status, ready.json()["status"]) == (200, "degraded")
        world.broker.away = False
        await world.settle()
        assert await counts(world, "a") == (2, 2)


async def test_a_service_starts_while_the_broker_is_away(tmp_path: Path) -> None:
    world = World(system, tmp_path, {})
    await world.declare()
    world.broker.away = True
    for host in world.hosts.values():
        await host.start()
    await sell_some(world, ("z", 1))
    world.broker.away = False
    await world.settle()
    assert await counts(world, "z") == (1, 1)
    for host in world.hosts.values():
        await host.stop()


async def test_a_stop_announces_what_is_in_the_outbox(tmp_path: Path) -> None:
    async with running(system, tmp_path) as world:
        world.broker.away = True
        await sell_some(world, *((f"i{n}", n) for n in range(50)))
        await asyncio.sleep(0)
        world.broker.away = False
        await world.hosts["shop"].stop()
        assert (await world.stores["shop"].backlog()).count == 0
        assert len(world.broker.log("SYS_SHOP")) == 50


def test_an_envelope_is_a_cloud_event() -> None:
    schema = json.loads((Path(__file__).parent.parent / "schemas" / "cloudevents-1.0.json").read_text("utf-8"))
    cloud_events = jsonschema.Draft7Validator(schema)
    now = datetime.now(UTC)
    for data, trace in ((Sold("ä b", 1), begin()), (Sold("", 1), None)):
        message = pack("sys", "shop", event_mark(Sold), data, now=now, trace=trace)
        document = msgspec.json.decode(message.body)
        cloud_events.validate(document)
        assert document["id"] == message.id
        assert document["type"] == "shop.sold.v1"
        assert document.get("subject", "") == data.item
        assert ("traceparent" in document) == (trace is not None)
        assert msgspec.json.decode(unpack(message).data, type=Sold) == data


def test_two_envelopes_of_one_event_differ_in_id() -> None:
    now = datetime.now(UTC)
    ids = {pack("sys", "shop", event_mark(Sold), Sold("a", 1), now=now, trace=None).id for _ in range(2)}
    assert len(ids) == 2


async def test_a_broker_is_opened_after_whatever_its_driver_raised(caplog: pytest.LogCaptureFixture) -> None:
    class Strange(MemoryBroker):
        tries = 0

        async def open(self) -> None:
            self.tries += 1
            if self.tries == 1:
                raise ValueError("an answer of a new kind")

    broker = Strange()
    async with asyncio.timeout(10):
        await patiently(broker)
    assert broker.tries == 2
    assert "an answer of a new kind" in caplog.text
