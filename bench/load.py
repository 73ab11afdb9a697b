"""A closed loop over HTTP/1.1: every connection sends its next request when it has its whole answer.

It runs in a process of its own and takes its orders, one JSON document per line, on standard input. It is made to cost
less per request than any server under test, and believes no answer: each must be as long as the first one of its
connection and begin with the expected status line. Connections stay open from one order to the next.
"""

import asyncio
import functools
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar, cast

import msgspec
import uvloop

O = TypeVar("O")  # noqa: E741 - an order


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to send: `operations` requests in all, over one connection for each of `requests`."""

    port: int
    operations: int
    requests: tuple[bytes, ...]
    status: int
    awake: bool = True
    """Whether to poll without ever sleeping: fair to one server with a processor of its own, not to a system of many
    processes that needs them all."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """How long it took; `failure` says why it was given up."""

    seconds: float
    failure: str = ""


class _Count:
    """What the connections of one order share: how much there is left to send and to hear."""

    def __init__(self, order: Order) -> None:
        self.unsent = self.unheard = order.operations
        self.expected = b"HTTP/1.1 %d " % order.status
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(why))


class _Connection(asyncio.Protocol):
    def __init__(self, request: bytes) -> None:
        self._request = request
        self._count: _Count | None = None
        self._length = 0
        self._received = b""
        self._write: Callable[[bytes], None] = _nowhere

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write = cast("asyncio.WriteTransport", transport).write  # uvloop's is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        if self._count is not None:
            self._count.fail(f"the server closed a connection: {exc or 'without a reason'}")

    def begin(self, count: _Count) -> None:
        self._count = count
        self._next(count)

    def _next(self, count: _Count) -> None:
        if count.unsent:
            count.unsent -= 1
            self._write(self._request)
        else:
            self._count = None

    def data_received(self, data: bytes) -> None:
        count = self._count
        if count is None:
            raise RuntimeError("an answer that nobody asked for")
        received = self._received = self._received + data if self._received else data
        if not self._length:
            self._length = length(received)
        if not self._length or len(received) < self._length:
            return
        if len(received) > self._length or not received.startswith(count.expected):
            count.fail(f"unlike the first answer: {received!r}")
            return
        self._received = b""
        count.unheard -= 1
        self._next(count)
        if not count.unheard:
            count.done.set_result(None)


def _nowhere(_data: bytes) -> None:
    raise RuntimeError("not connected yet")


def length(received: bytes) -> int:
    """Find how long an answer is, from its Content-Length; 0 while its head is not complete."""
    head, end, _ = received.partition(b"\r\n\r\n")
    if not end:
        return 0
    fields = (line.partition(b":") for line in head.lower().split(b"\r\n")[1:])
    lengths = [int(value) for name, _, value in fields if name == b"content-length"]
    return len(head) + len(end) + (lengths[0] if lengths else 0)


class Generator:
    """Carries out orders, one after the other."""

    def __init__(self) -> None:
        self._connections: dict[tuple[int, tuple[bytes, ...]], Sequence[_Connection]] = {}

    async def drive(self, order: Order) -> Answer:
        """Carry an order out; connecting is not part of the time."""
        key = order.port, order.requests
        connections = self._connections.get(key)
        if connections is None:
            connections = self._connections[key] = await _connect(order)
        count = _Count(order)
        if order.awake:
            _stay_awake(count)
        started = time.perf_counter()
        for connection in connections:
            connection.begin(count)
        try:
            await count.done
        except RuntimeError as error:
            return Answer(seconds=0.0, failure=str(error))
        return Answer(seconds=time.perf_counter() - started)


def _stay_awake(count: _Count) -> None:
    """Poll without ever sleeping, since waking a sleeper costs the server that answers it, and slower ones more."""
    if not count.done.done():
        asyncio.get_running_loop().call_soon(_stay_awake, count)


async def _connect(order: Order) -> Sequence[_Connection]:
    made = []
    for request in order.requests:
        make = functools.partial(_Connection, request)
        _, connection = await asyncio.get_running_loop().create_connection(make, "127.0.0.1", order.port)
        made.append(connection)
    return made


async def serve(kind: type[O], carry_out: Callable[[O], Awaitable[object]]) -> None:
    """Serve orders from standard input until it ends."""
    read = msgspec.json.Decoder(kind).decode
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        answer = await carry_out(read(line))
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()


def main(kind: type[O], carry_out: Callable[[O], Awaitable[object]]) -> None:
    """Serve orders in this process, on the processor that the command line may name."""
    if len(sys.argv) > 1:
        os.sched_setaffinity(0, {int(sys.argv[1])})
    uvloop.run(serve(kind, carry_out))


if __name__ == "__main__":
    main(Order, Generator().drive)
