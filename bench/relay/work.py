"""A process that brings events to the broker: as rows that a relay publishes, or straight from memory."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from secrets import token_hex

import asyncpg
import msgspec
import nats
import uvloop

from shoal.drivers import open_broker, open_store
from shoal.drivers.base import Broker, Consumer, Message, Store
from shoal.runtime.metrics.registry import Metrics
from shoal.runtime.relay import Relay

OURS, RAW, NAIVE = "relay", "publish_async", "one by one"
STREAM, SUBJECT = "BENCH_RELAY", "bench.event.orders.placed.v1.0"
PLAIN_STREAM, PLAIN_SUBJECT = "BENCH_PLAIN", "plain.event.orders.placed.v1.0"
LISTENER = Consumer(stream=STREAM, name="listener", subjects=("bench.event.>",))

BODY = msgspec.json.encode({"specversion": "1.0", "type": "orders.placed.v1", "data": "x" * 330})
"""As long as an event of B5."""

_FILL = """
insert into shoal.outbox (id, subject, key, body)
select $1 || '-' || n, $2, 'key ' || n, $3 from generate_series(1, $4::int) as n
"""
_PLAIN = "create table if not exists plain (position bigserial primary key, id text, body bytea, sent boolean)"
_PLAIN_FILL = (
    "insert into plain (id, body, sent) select $1 || '-' || n, $2, false from generate_series(1, $3::int) as n"
)
_PLAIN_NEXT = "select position, id, body from plain where not sent order by position limit 1"
_PLAIN_SENT = "update plain set sent = true where position = $1"

POOL = 16
"""Connections of the process that commits."""

_LOOK = 0.005
"""Seconds between two looks at what is left."""


class Drain(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Bring so many events to the broker."""

    operations: int


class Pace(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Commit one event after another."""

    rate: float
    """Per second."""
    operations: int


class Hear(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Wait until so many events arrived since the last time, or with none, forget those that did."""

    operations: int


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    seconds: float = 0.0
    at: dict[str, float] = {}
    """When each event was committed, or arrived: seconds of the machine's monotonic clock by the event's id."""
    peak: int = 0
    """Most memory that the process ever had, in KiB."""


Act = Callable[[Drain | Pace | Hear], Awaitable[Done]]


async def relayed(store_url: str, broker_url: str) -> Act:
    """Run a relay; its rows are committed all at once, or one by one at a pace."""
    store, broker = open_store(f"{store_url}&pool={POOL}"), open_broker(broker_url)
    await store.open()
    await store.migrate([])
    await broker.open()
    relay = Relay(store, broker, STREAM, Metrics())
    running = asyncio.create_task(relay.run())

    async def act(task: Drain | Pace | Hear) -> Done:
        assert not running.done()
        if isinstance(task, Pace):
            return Done(at=await _pace(store, relay, task))
        async with store.session() as session:
            await session.execute(_FILL, token_hex(8), SUBJECT, BODY, task.operations)
            started = time.perf_counter()
        relay.poke()
        await _until_drained(store)
        return Done(seconds=time.perf_counter() - started, peak=_peak())

    return act


async def _until_drained(store: Store) -> None:
    while True:
        if not (await store.backlog()).count:
            return
        await asyncio.sleep(_LOOK)


async def _pace(store: Store, relay: Relay, task: Pace) -> dict[str, float]:
    at: dict[str, float] = {}
    run, begun, gate = token_hex(8), time.perf_counter(), asyncio.Semaphore(POOL)

    async def commit(number: int) -> None:
        await asyncio.sleep(begun + number / task.rate - time.perf_counter())
        message = Message(id=f"{run}-{number}", subject=SUBJECT, body=BODY, key=f"key {number}")
        async with gate, store.session() as session:
            session.publish(message)
        at[message.id] = time.perf_counter()
        relay.poke()

    await asyncio.gather(*map(commit, range(task.operations)))
    return at


async def raw(_store_url: str, broker_url: str) -> Act:
    """Publish from memory with the client library alone: as many in flight as it allows, with ids as the relay's."""
    stream = (await nats.connect(broker_url)).jetstream()

    async def act(task: Drain | Pace | Hear) -> Done:
        run, started = token_hex(8), time.perf_counter()
        flying = [
            await stream.publish_async(PLAIN_SUBJECT, BODY, headers={"Nats-Msg-Id": f"{run}-{number}"})
            for number in range(task.operations)
        ]
        await asyncio.gather(*flying)
        return Done(seconds=time.perf_counter() - started)

    return act


async def naive(store_url: str, broker_url: str) -> Act:
    """Relay as a first attempt does: read a row, publish it, mark it."""
    connection = await asyncpg.connect(store_url)
    await connection.execute(_PLAIN)
    stream = (await nats.connect(broker_url)).jetstream()

    async def act(task: Drain | Pace | Hear) -> Done:
        await connection.execute("truncate plain")
        await connection.execute(_PLAIN_FILL, token_hex(8), BODY, task.operations)
        started = time.perf_counter()
        while row := await connection.fetchrow(_PLAIN_NEXT):
            await stream.publish(PLAIN_SUBJECT, row["body"], headers={"Nats-Msg-Id": row["id"]})
            await connection.execute(_PLAIN_SENT, row["position"])
        return Done(seconds=time.perf_counter() - started)

    return act


async def listener(_store_url: str, broker_url: str) -> Act:
    """Consume as a service does."""
    broker = open_broker(broker_url)
    await broker.open()
    arrived: dict[str, float] = {}
    news = asyncio.Event()
    hearing = asyncio.create_task(_listen(broker, arrived, news))

    async def act(task: Drain | Pace | Hear) -> Done:
        while len(arrived) < task.operations:
            assert not hearing.done()
            news.clear()
            await news.wait()
        at = dict(arrived) if task.operations else {}
        arrived.clear()
        return Done(at=at)

    return act


async def _listen(broker: Broker, arrived: dict[str, float], news: asyncio.Event) -> None:
    while True:
        for delivery in await broker.fetch(LISTENER, 256, 5.0):
            arrived[delivery.message.id] = time.perf_counter()
            await delivery.ack()
        news.set()


def _peak() -> int:
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


KINDS = {OURS: relayed, RAW: raw, NAIVE: naive, LISTENER.name: listener}


async def serve(kind: str, store_url: str, broker_url: str) -> None:
    """Take tasks from standard input until it ends."""
    act = await KINDS[kind](store_url, broker_url)
    read = msgspec.json.Decoder(Drain | Pace | Hear).decode
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        done = await act(read(line))
        sys.stdout.buffer.write(msgspec.json.encode(done) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(serve(*sys.argv[1:4]))
