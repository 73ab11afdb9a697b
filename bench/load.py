"""A closed loop over HTTP/1.1: every connection sends its next request when it has its whole answer.

It runs in a process of its own and takes its orders, one JSON document per line, on standard input. It is made to cost
less per request than any server under test, and believes no answer: each must be as long as the first one and begin
with the same status line.
"""

import asyncio
import functools
import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import cast

import msgspec
import uvloop


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to send: `operations` requests in all, over one connection for each of `requests`."""

    port: int
    operations: int
    requests: tuple[bytes, ...]
    status: int


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """How long it took; `failure` says why it was given up."""

    seconds: float
    failure: str = ""


class _Loop:
    """What the connections of one order share: how much there is left to send and to hear."""

    def __init__(self, order: Order) -> None:
        self.unsent = self.unheard = order.operations
        self.expected = b"HTTP/1.1 %d " % order.status
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(why))


class _Connection(asyncio.Protocol):
    def __init__(self, loop: _Loop, request: bytes) -> None:
        self._loop, self._request = loop, request
        self._length = 0
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        if self._loop.unheard:
            self._loop.fail(f"the server closed a connection: {exc or 'without a reason'}")

    def send(self) -> None:
        if self._loop.unsent and self._transport is not None:
            self._loop.unsent -= 1
            self._transport.write(self._request)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        received = self._received = self._received + data if self._received else data
        if not self._length:
            self._length = _length(received)
        if not self._length or len(received) < self._length:
            return
        if len(received) > self._length or not received.startswith(self._loop.expected):
            self._loop.fail(f"unlike the first answer: {received!r}")
            return
        self._received = b""
        self._loop.unheard -= 1
        if not self._loop.unheard:
            self._loop.done.set_result(None)
        self.send()


def _length(received: bytes) -> int:
    """Find how long an answer is, from its Content-Length; 0 while its head is not complete."""
    head, end, _ = received.partition(b"\r\n\r\n")
    if not end:
        return 0
    fields = (line.partition(b":") for line in head.lower().split(b"\r\n")[1:])
    lengths = [int(value) for name, _, value in fields if name == b"content-length"]
    return len(head) + len(end) + (lengths[0] if lengths else 0)


async def drive(order: Order) -> Answer:
    """Carry an order out; connecting is not part of the time."""
    loop = _Loop(order)
    connections = await _connect(order, loop)
    started = time.perf_counter()
    for connection in connections:
        connection.send()
    try:
        await loop.done
    except RuntimeError as error:
        return Answer(seconds=0.0, failure=str(error))
    finally:
        elapsed = time.perf_counter() - started
        for connection in connections:
            connection.close()
    return Answer(seconds=elapsed)


async def _connect(order: Order, loop: _Loop) -> Sequence[_Connection]:
    made = []
    for request in order.requests:
        make = functools.partial(_Connection, loop, request)
        _, connection = await asyncio.get_running_loop().create_connection(make, "127.0.0.1", order.port)
        made.append(connection)
    return made


def main() -> None:
    """Serve orders from standard input, on the processor named as the only argument."""
    if len(sys.argv) > 1:
        os.sched_setaffinity(0, {int(sys.argv[1])})
    for order in _orders():
        sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(drive(order))) + b"\n")
        sys.stdout.buffer.flush()


def _orders() -> Iterator[Order]:
    read = msgspec.json.Decoder(Order).decode
    yield from map(read, sys.stdin.buffer)


if __name__ == "__main__":
    main()
