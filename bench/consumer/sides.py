"""One contestant: its process, its database and its stream, and what its accounts must hold."""

import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from bench import cpu
from bench.consumer import service
from bench.consumer.broker import Broker
from bench.consumer.events import ACCOUNTS, Books, account, announce
from bench.consumer.kinds import SERVICES, Ready, Start
from bench.durable.database import DATABASE, Database
from bench.rounds import Sample
from bench.workers import worker
from shoal.drivers.base import Consumer, Message, Stream
from shoal.model import names
from shoal.model.plan import ACK_WAIT, consumers
from shoal.service.describe import describe_service
from shoal.service.marks import event_mark

LARGEST = 272 * 1024
"""Bytes of a message, as ``shoal run`` sets its streams."""

LAST = 16
"""Messages that are stored last; enough for every part of the stream to get some."""

CREATE = "create table accounts (id text primary key, orders integer not null, total bigint not null)"
SOW = "insert into accounts (id, orders, total) select id, 0, 0 from unnest($1::text[]) as id"
READ = "select id, orders, total from accounts where orders > 0"


class Side:
    """A contestant, consuming."""

    def __init__(self, name: str, broker: Broker, url: str, number: int) -> None:
        self.name, self.books = name, Books()
        self.system, self.url, self.broker = f"b{number}", url, broker
        self.stream = names.stream(self.system, "orders")
        self.consumers = _consumers(self.system, self.stream, SERVICES.get(name, ""))
        self.roots: tuple[int, ...] = ()
        """Processes at work: its own, and the engines."""
        self._last: Sequence[Message] = ()
        self._waiting = 0
        self._draw = random.Random(1)  # noqa: S311 - the same events for everybody

    @property
    def start(self) -> Start:
        """What its process is told."""
        first = self.consumers[0]
        return Start(
            kind=self.name,
            broker=self.broker.url,
            store=self.url,
            system=self.system,
            stream=self.stream,
            subject=first.subjects[0],
            durable=first.name,
        )

    def draw(self, number: int) -> list[Message]:
        """Announce orders."""
        return announce(self.system, number, self.books, self._draw)

    async def run(self, operations: int) -> Sample:
        """Consume so many events that wait in the stream; the engines' processor time counts as well."""
        await self.feed(self.draw(operations))
        before = cpu.by_process(self.roots)
        await self.release()
        began = time.perf_counter()
        await self.broker.drained(self.stream)
        seconds = time.perf_counter() - began
        return Sample(operations=operations, seconds=seconds, cpu_ns=cpu.since(before, self.roots))

    async def feed(self, messages: Sequence[Message]) -> None:
        """Store messages that are not delivered yet."""
        await self.broker.pause(self.consumers)
        await self.broker.publish(messages[:-LAST])
        self._last, self._waiting = messages[-LAST:], len(messages) - LAST

    async def release(self) -> None:
        """Have everything delivered, and wait for the first delivery.

        A paused consumer remembers who waits, but looks for them only when something more is stored.
        """
        await self.broker.resume(self.consumers)
        await self.broker.publish(self._last)
        await self.broker.begun(self.stream, len(self._last) + self._waiting)

    async def consume(self) -> None:
        """Have everything delivered, and wait until it is acknowledged."""
        await self.release()
        await self.broker.drained(self.stream)

    async def counted(self) -> Books:
        """Read what its accounts hold."""
        connection = await asyncpg.connect(self.url)
        try:
            found = await connection.fetch(READ)
        finally:
            await connection.close()
        return Books(
            orders={row["id"]: row["orders"] for row in found}, totals={row["id"]: row["total"] for row in found}
        )


@asynccontextmanager
async def side(name: str, broker: Broker, server: Database, number: int) -> AsyncIterator[Side]:
    """Make a database and a stream, and start the process that works on them."""
    database = f"{DATABASE}{number}"
    await server.admin.execute(f"create database {database}")
    found = Side(name, broker, server.url.replace(f"/{DATABASE}?", f"/{database}?"), number)
    await _declare(found)
    if name not in SERVICES:
        await _execute(found.url, CREATE)
    async with worker("bench.consumer.work") as process:
        await process.ask(found.start, Ready)
        await _execute(found.url, SOW, [account(one) for one in range(ACCOUNTS)])
        found.roots = (process.pid, server.pid, broker.pid)
        yield found


def _consumers(system: str, stream: str, declared: str) -> tuple[Consumer, ...]:
    """Plan the durable consumers: Shoal's own, and else one for everything."""
    if not declared:
        everything = names.subject(system, event_mark(service.OrderPlaced).id, "*")
        return (Consumer(stream=stream, name="everything", subjects=(everything,), ack_wait=ACK_WAIT),)
    model = describe_service(getattr(service, declared))
    return tuple(
        Consumer(stream=p.stream, name=p.durable, subjects=p.subjects, ack_wait=p.ack_wait)
        for p in consumers(system, model)
    )


async def _declare(side: Side) -> None:
    names_of = {one.stream for one in side.consumers}
    dead = (f"{side.system}.dead.>", f"{side.system}.again.>")
    streams = [
        Stream(name=name, subjects=(f"{side.system}.event.>",) if name == side.stream else dead, largest=LARGEST)
        for name in names_of
    ]
    await side.broker.declare(streams, side.consumers)


async def _execute(url: str, sql: str, *values: object) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql, *values)
    finally:
        await connection.close()
