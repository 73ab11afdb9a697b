"""The same with FastStream: an inbox and the effect, in one transaction that is written by hand."""

from datetime import datetime

import asyncpg
import msgspec
from fast_depends.msgspec import MsgSpecSerializer
from faststream.nats import JStream, NatsBroker, PullSub

from bench.consumer.kinds import AS_IS, BY_BATCH, Start
from bench.consumer.service import LARGEST_BATCH, UPDATE, UPDATE_MANY, OrderPlaced

CREATE = "create table if not exists inbox (message_id text primary key, at timestamptz not null)"
MARK = "insert into inbox (message_id, at) values ($1, $2) on conflict do nothing"
NEW = "INSERT 0 1"
MARK_MANY = """
insert into inbox (message_id, at) select * from unnest($1::text[], $2::timestamptz[])
on conflict do nothing returning message_id
"""

FETCHED, CONNECTIONS = 256, 16
"""Neither fewer nor more of either, nor `max_workers`, made a difference on two processors."""

FILL_SECONDS = 0.1
"""FastStream waits so long for a batch to become full."""


async def _nothing(_connection: object) -> None:
    """Save the round trip by which a pool cleans a connection: nothing here leaves anything behind."""


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """The CloudEvent."""

    id: str
    time: datetime
    data: OrderPlaced


async def subscribe(start: Start) -> None:
    """Begin to consume; FastStream acknowledges a message when its handler has returned."""
    pool = await asyncpg.create_pool(start.store, min_size=CONNECTIONS, max_size=CONNECTIONS, reset=_nothing)
    await pool.execute(CREATE)

    async def once(placed: Placed) -> None:
        async with pool.acquire() as connection, connection.transaction():
            if await connection.execute(MARK, placed.id, placed.time) == NEW:
                await connection.execute(UPDATE, placed.data.account, placed.data.total)

    async def many(placed: list[Placed]) -> None:
        async with pool.acquire() as connection, connection.transaction():
            marked = await connection.fetch(MARK_MANY, [one.id for one in placed], [one.time for one in placed])
            new = {row["message_id"] for row in marked}
            data = {one.id: one.data for one in placed if one.id in new}.values()
            await connection.execute(UPDATE_MANY, [one.account for one in data], [one.total for one in data])

    async def as_is(placed: Placed) -> None:
        async with pool.acquire() as connection:
            await connection.execute(UPDATE, placed.data.account, placed.data.total)

    broker = NatsBroker(start.broker, logger=None, serializer=MsgSpecSerializer())
    stream = JStream(start.stream, declare=False)
    if start.kind == BY_BATCH:
        full = PullSub(batch_size=LARGEST_BATCH, timeout=FILL_SECONDS, batch=True)
        broker.subscriber(start.subject, stream=stream, durable=start.durable, pull_sub=full)(many)
    else:
        some = PullSub(batch_size=FETCHED)
        listen = broker.subscriber(start.subject, stream=stream, durable=start.durable, pull_sub=some)
        listen(as_is if start.kind == AS_IS else once)
    await broker.start()
