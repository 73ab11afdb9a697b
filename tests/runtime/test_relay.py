"""The relay: order per key, refusals, brokers that lose messages, and more than one process."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.drivers.base import Message, Outcome, Pending, Stream
from shoal.drivers.memory import MemoryBroker, MemoryStore
from shoal.errors import EngineError, Unavailable
from shoal.model.names import part_of
from shoal.runtime import relay as module
from shoal.runtime.envelope import Envelope
from shoal.runtime.metrics.registry import Metrics
from shoal.runtime.relay import Notes, Relay, Shift, waves
from shoal.service.codec import encode

STREAM = Stream(name="T_SHOP", subjects=("t.event.>",), largest=1000)
REFUSED = EngineError("message is refused")
AWAY = Unavailable("the broker is away")


class Bus(MemoryBroker):
    """A broker that takes its time, and fails as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: dict[str, EngineError] = {}
        self.tries: Counter[str] = Counter()
        self.flying: set[str] = set()
        self.most = 0

    async def publish(self, messages: Sequence[Message], *, after: int | None = None) -> Sequence[Outcome]:
        keys = [message.key for message in messages if message.key]
        assert len(set(keys)) == len(keys), "two messages of one key are in flight"
        assert not self.flying.intersection(keys)
        self.flying.update(keys)
        self.most = max(self.most, len(messages))
        self.tries.update(message.id for message in messages)
        await asyncio.sleep(0)
        self.flying.difference_update(keys)
        stored = iter(await super().publish([m for m in messages if m.id not in self.faults], after=after))
        return [self.faults[m.id] if m.id in self.faults else next(stored) for m in messages]

    def lose(self, keep: int) -> None:
        """Become an older copy of itself."""
        log = self._logs[STREAM.name]
        for sequence in range(keep + 1, log.last + 1):
            log.remove(sequence)
        log._seen = {id: seen for id, seen in log._seen.items() if seen[1] <= keep}
        log.last = keep

    @property
    def ids(self) -> list[str]:
        return [message.id for message in self.log(STREAM.name)]


def message(number: int | str, key: str = "") -> Message:
    return Message(id=f"m{number}", subject="t.event.shop.sold.v1.0", body=b"", key=key)


async def announce(store: MemoryStore, *messages: Message) -> None:
    async with store.session() as session:
        for one in messages:
            session.publish(one)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for says nothing
            await asyncio.sleep(0.001)


@pytest.fixture
async def bus() -> Bus:
    bus = Bus()
    await bus.declare([STREAM], [])
    return bus


@asynccontextmanager
async def relaying(store: MemoryStore, bus: Bus) -> AsyncIterator[Relay]:
    relay = Relay(store, bus, STREAM.name, Metrics())
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@given(st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=40))
def test_waves_keep_the_order_of_every_key(keys: list[str]) -> None:
    rows = [Pending(position=n, message=message(n, key)) for n, key in enumerate(keys)]
    found = [*waves(rows)]
    assert sorted(row.position for wave in found for row in wave) == [row.position for row in rows]
    for wave in found:
        assert wave
        assert max(Counter(row.message.key for row in wave if row.message.key).values(), default=1) == 1
    for key in ("a", "b", "c"):
        order = [row.position for wave in found for row in wave if row.message.key == key]
        assert order == sorted(order)
    assert all(row.message.key for wave in found[1:] for row in wave)


async def test_everything_is_published_once_and_keys_in_order(bus: Bus) -> None:
    store = MemoryStore()
    await announce(store, *(message(n, key=f"key {n % 7}" if n % 3 else "") for n in range(1500)))
    async with relaying(store, bus):
        await until(lambda: len(bus.ids) == 1500)
    assert max(bus.tries.values()) == 1
    assert bus.most <= module.BATCH
    for key in range(7):
        order = [int(m.id[1:]) for m in bus.log(STREAM.name) if m.key == f"key {key}"]
        assert order == sorted(order)
    found = {one.sequence for one in await store.announced(0, 2000)}
    assert found == set(range(1, 1501))


async def test_a_key_waits_for_its_failed_message_and_others_go_on(bus: Bus) -> None:
    store = MemoryStore()
    bus.faults["m0"] = AWAY
    await announce(store, message(0, "a"), message(1, "b"), message(2, "a"), message(3, "b"), message(4))
    async with relaying(store, bus) as relay:
        await until(lambda: bus.tries["m0"] > 1 and len(bus.ids) == 3)
        assert bus.ids == ["m1", "m4", "m3"]
        assert not bus.tries["m2"]
        bus.faults.clear()
        relay.poke()
        await until(lambda: len(bus.ids) == 5)
    assert bus.ids[3:] == ["m0", "m2"]


async def test_a_message_that_fails_alone_is_set_aside_in_the_end(bus: Bus) -> None:
    """Such as one whose subject no stream takes any more."""
    store = MemoryStore()
    bus.faults["m0"] = AWAY
    await announce(store, message(0, "a"), message(1, "a"))
    async with relaying(store, bus) as relay:
        for number in range(2, 2 + module.STRIKES):
            await announce(store, message(number))
            relay.poke()
            await until(lambda number=number: f"m{number}" in bus.ids)  # type: ignore[misc]
        await until(lambda: bool(store._state.outbox[1].refused))
        tries = bus.tries["m0"]
        await announce(store, message("last"))
        relay.poke()
        await until(lambda: "mlast" in bus.ids)
    assert bus.tries["m0"] == tries
    assert not bus.tries["m1"]


async def test_nothing_is_tried_behind_a_broker_that_is_away(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    bus.faults = {f"m{n}": AWAY for n in range(6)}
    await announce(store, *(message(n, f"key {n % 2}") for n in range(6)))
    async with relaying(store, bus):
        await until(lambda: bus.tries["m0"] > 1)
        assert set(bus.tries) == {"m0", "m1"}
        assert "relay interrupted" in caplog.text  # and another may try
        bus.faults.clear()
        await until(lambda: len(bus.ids) == 6)


async def test_a_refused_message_is_set_aside_with_what_follows_it(
    bus: Bus, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "REPRIEVE_SECONDS", 0.05)
    store = MemoryStore()
    bus.faults["m0"] = REFUSED
    await announce(store, message(0, "a"), message(1, "a"), message(2, "b"), message(3))
    async with relaying(store, bus) as relay:
        await until(lambda: bus.ids == ["m2", "m3"])
        await announce(store, message(4, "a"), message(5, "b"))
        relay.poke()
        await until(lambda: bus.ids[2:] == ["m5"])
        await until(lambda: bus.tries["m0"] > 3)
        assert not bus.tries["m1"] + bus.tries["m4"]
        assert (await store.announced(0, 1))[0].refused in ("message is refused", "")
        bus.faults.clear()
        await until(lambda: len(bus.ids) == 6)
    assert bus.ids[3:] == ["m0", "m1", "m4"]
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR] == [
        "message m0 (t.event.shop.sold.v1.0) is set aside: message is refused"
    ]


async def test_a_message_larger_than_the_stream_takes_holds_nobody_up(bus: Bus) -> None:
    store = MemoryStore()
    large = Message(id="large", subject="t.event.shop.sold.v1.0", body=b"x" * 2000)
    await announce(store, large, message(1))
    async with relaying(store, bus):
        await until(lambda: bus.ids == ["m1"])
    assert (await store.backlog()).refused == 1


async def test_when_everything_is_refused_the_relay_waits(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_REFUSED", 10)
    monkeypatch.setattr(module, "BATCH", 5)
    store = MemoryStore()
    bus.faults = {f"m{n}": REFUSED for n in range(100)}
    await announce(store, *map(message, range(100)))
    async with relaying(store, bus) as relay:
        await until(lambda: len(bus.tries) == 10)
        for _ in range(20):
            relay.poke()
            await asyncio.sleep(0)
        assert len(bus.tries) == 10
    assert (await store.backlog()).count == 90


@pytest.mark.parametrize("running", [False, True])
async def test_what_the_broker_lost_is_published_again(
    bus: Bus, running: bool, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore()
    await announce(store, *map(message, range(10)))
    async with relaying(store, bus) as relay:
        await until(lambda: len(bus.ids) == 10)
        if running:
            bus.lose(4)
            bus.restart()
            relay.poke()
            await until(lambda: len(bus.ids) == 10)
    if not running:
        await until_sent(store)
        bus.lose(4)
        async with relaying(store, bus):
            await until(lambda: len(bus.ids) == 10)
    assert bus.ids == [f"m{n}" for n in range(10)]
    assert "the broker lost messages, and 6 of them go again" in caplog.text


async def test_nothing_new_goes_before_what_the_broker_lost(bus: Bus) -> None:
    """Also when nobody saw it restart."""
    store = MemoryStore()
    await announce(store, *map(message, range(10)))
    async with relaying(store, bus) as relay:
        await until(lambda: len(bus.ids) == 10)
        bus.lose(4)
        await announce(store, message("new"))
        relay.poke()
        await until(lambda: len(bus.ids) == 11)
        assert bus.ids == [*(f"m{n}" for n in range(10)), "mnew"]
        await until_sent(store)
        assert [one.sequence for one in await store.announced(0, 20)] == [*range(1, 12)]


async def test_what_is_lost_within_a_round_goes_again_in_order(bus: Bus) -> None:
    store, waves_seen = MemoryStore(), 0

    async def publish(messages: Sequence[Message], *, after: int | None = None) -> Sequence[Outcome]:
        nonlocal waves_seen
        waves_seen += 1
        if waves_seen == 2:
            bus.lose(0)  # between two waves, before the first is noted
        return await Bus.publish(bus, messages, after=after)

    bus.publish = publish  # type: ignore[method-assign]
    await announce(store, message(0, "a"), message(1, "b"), message(2, "a"))
    async with relaying(store, bus):
        await until(lambda: len(bus.ids) == 3)
        await until_sent(store)
    assert bus.ids == ["m0", "m1", "m2"]


async def test_a_duplicate_is_no_loss(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    await announce(store, *map(message, range(3)))
    await bus.publish([message(0), message(1)])  # by a relay that died before it could note it
    async with relaying(store, bus):
        await until_sent(store)
    assert bus.ids == ["m0", "m1", "m2"]
    store._state.outbox[1].sequence = None
    async with relaying(store, bus):
        await until_sent(store)
    assert bus.ids == ["m0", "m1", "m2"]
    assert bus.tries["m0"] == 3
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_missing_stream_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    store, bus = MemoryStore(), Bus()
    await announce(store, message(1))
    async with relaying(store, bus):
        await until(lambda: "there is no stream T_SHOP" in caplog.text)
        assert (await store.backlog()).count == 1
        await bus.declare([STREAM], [])
        await until(lambda: bus.ids == ["m1"])


async def test_a_stream_that_was_made_again_gets_everything_again(bus: Bus) -> None:
    store = MemoryStore()
    await announce(store, *map(message, range(5)))
    async with relaying(store, bus) as relay:
        await until_sent(store)
        del bus._logs[STREAM.name]
        bus.restart()
        relay.poke()
        await asyncio.sleep(0)
        await bus.declare([STREAM], [])
        await until(lambda: len(bus.ids) == 5)


async def test_another_relay_takes_over(bus: Bus) -> None:
    first = MemoryStore()
    second = first.peer()
    async with relaying(first, bus):
        await announce(first, message(1))
        await until(lambda: bus.ids == ["m1"])
        async with relaying(second, bus) as relay:
            first.vanish()
            await announce(second, message(2))
            relay.poke()
            await until(lambda: bus.ids == ["m1", "m2"])
    assert max(bus.tries.values()) == 1


@pytest.mark.parametrize("rivals", [False, True])
async def test_it_looks_often_only_where_others_write_too(bus: Bus, rivals: bool) -> None:
    store = MemoryStore()
    waits: list[float] = []

    class Watched(Shift):
        async def _wait(self, seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 30:
                raise AWAY

    async with store.outbox() as lease:
        waiting = asyncio.create_task(store.peer().outbox().__aenter__()) if rivals else None
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await Watched(lease, bus, STREAM.name, asyncio.Event(), Notes()).run()
        if waiting is not None:
            waiting.cancel()
    assert waits == sorted(waits)
    assert waits[-1] == (module.SHORTEST if rivals else module.LONGEST)


async def test_rows_of_an_earlier_version_get_the_address_of_this_one(bus: Bus) -> None:
    store = MemoryStore()
    envelopes = [
        Envelope(id="1", source="/t/shop", type="shop.sold.v1", subject="a"),
        Envelope(id="2", source="/t/shop", type="shop.sold.v1"),
    ]
    old = [Message(id=e.id, subject="t.event.shop.sold.v1", body=encode(e)) for e in envelopes]
    await announce(store, *old, message(3))
    async with relaying(store, bus):
        await until(lambda: len(bus.ids) == 3)
    found = {m.id: (m.subject, m.key) for m in bus.log(STREAM.name)}
    assert found == {
        "1": (f"t.event.shop.sold.v1.{part_of('a')}", "a"),
        "2": (f"t.event.shop.sold.v1.{part_of('2')}", ""),
        "m3": ("t.event.shop.sold.v1.0", ""),
    }


async def test_a_row_that_nobody_can_read_holds_nobody_up(bus: Bus) -> None:
    store = MemoryStore()
    await announce(store, Message(id="bad", subject="t.event.shop.sold.v1", body=b"{"), message(1))
    async with relaying(store, bus):
        await until(lambda: len(bus.ids) == 2)
    assert set(bus.ids) == {"bad", "m1"}


async def test_it_tidies_when_it_begins(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    await announce(store, message(1))
    async with relaying(store, bus):
        await until_sent(store)
    monkeypatch.setattr(module, "WINDOW", timedelta(0))
    async with relaying(store, bus):
        await until(lambda: not store._state.outbox)


async def until_sent(store: MemoryStore) -> None:
    await until(lambda: not store._state.waiting())
