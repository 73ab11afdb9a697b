"""An open loop over HTTP/1.1: requests leave at the times that a rate says, whether answers come or not.

It runs in a process of its own and takes its orders, one JSON document per line, on standard input. A latency counts
from when its request should have left, so that a server which stalls cannot hide what waited behind it (coordinated
omission, G. Tene). A request that finds every connection in use waits for one; that counts, too. Between requests it
sleeps, to the millisecond: what it does not use is left to the many processes of a system.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import cast

import msgspec

from bench.load import length, main


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """What to send."""

    port: int
    rate: float
    """Requests per second, over all connections."""
    seconds: float
    requests: tuple[bytes, ...]
    """Sent in turn."""
    connections: int = 256
    """Most connections at a time."""
    patience: float = 2.0
    """Seconds after which nobody waits for an answer any more."""


class Paced(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    latencies_us: tuple[int, ...]
    """Of answers with status 2xx that came in time, in the order in which their requests should have left."""
    at_ms: tuple[int, ...]
    """When each of them should have left, since the start."""
    statuses: dict[str, int]
    """Answers by status; ``late`` and ``lost`` for those that came too late or not at all."""


class _Connection(asyncio.Protocol):
    """One connection: a request at a time."""

    def __init__(self, crowd: "_Crowd") -> None:
        self._crowd = crowd
        self._due = 0.0
        self._received = b""
        self._busy = False
        self._write: Callable[[bytes], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write = cast("asyncio.WriteTransport", transport).write

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio calls it
        self._write = None
        self._crowd.left(self, self._due if self._busy else None)
        self._busy = False

    def send(self, due: float, request: bytes) -> None:
        self._due, self._received, self._busy = due, b"", True
        if self._write is not None:
            self._write(request)

    def data_received(self, data: bytes) -> None:
        received = self._received = self._received + data if self._received else data
        whole = length(received)
        if not whole or len(received) < whole:
            return
        self._busy = False
        self._crowd.heard(self, self._due, received[9:12].decode("latin-1"))


class _Crowd:
    """The connections of one order."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._idle: deque[_Connection] = deque()
        self._waiting: deque[float] = deque()
        self._open = self._turn = 0
        self._found: list[tuple[int, int]] = []
        self.statuses: Counter[str] = Counter()
        self._start = 0.0
        self.unanswered = 0

    async def drive(self) -> Paced:
        pace, loop = self._pace, asyncio.get_running_loop()
        for _ in range(min(pace.connections, 32)):
            await self._connect()
        total = int(pace.rate * pace.seconds)
        self._start = time.perf_counter()
        sent = 0
        while sent < total:
            now = time.perf_counter() - self._start
            while sent < total and sent / pace.rate <= now:
                self._begin(self._start + sent / pace.rate)
                sent += 1
            await asyncio.sleep(max(0.0, self._start + sent / pace.rate - time.perf_counter()))
        until = loop.time() + pace.patience
        while self.unanswered and loop.time() < until:  # noqa: ASYNC110 - one look in 10 ms costs the servers nothing
            await asyncio.sleep(0.01)
        self.statuses["lost"] += self.unanswered
        self._found.sort()
        return Paced(
            latencies_us=tuple(latency for _, latency in self._found),
            at_ms=tuple(at // 1000 for at, _ in self._found),
            statuses=dict(self.statuses),
        )

    def _begin(self, due: float) -> None:
        self.unanswered += 1
        if self._idle:
            self._send(self._idle.popleft(), due)
            return
        self._waiting.append(due)
        if self._open < self._pace.connections:
            task = asyncio.ensure_future(self._connect())
            task.add_done_callback(lambda done: done.exception())

    def _send(self, connection: _Connection, due: float) -> None:
        self._turn = (self._turn + 1) % len(self._pace.requests)
        connection.send(due, self._pace.requests[self._turn])

    async def _connect(self) -> None:
        self._open += 1
        try:
            made = await asyncio.get_running_loop().create_connection(
                lambda: _Connection(self), "127.0.0.1", self._pace.port
            )
        except OSError:
            self._open -= 1
            return
        self._free(made[1])

    def _free(self, connection: _Connection) -> None:
        if self._waiting:
            self._send(connection, self._waiting.popleft())
        else:
            self._idle.append(connection)

    def heard(self, connection: _Connection, due: float, status: str) -> None:
        """Take an answer."""
        taken = time.perf_counter() - due
        self.unanswered -= 1
        self.statuses["late" if taken > self._pace.patience else status] += 1
        if status.startswith("2") and taken <= self._pace.patience:
            self._found.append((int((due - self._start) * 1e6), int(taken * 1e6)))
        self._free(connection)

    def left(self, connection: _Connection, due: float | None) -> None:
        """Learn that a connection is gone, perhaps with a request under way."""
        self._open -= 1
        if due is not None:
            self.unanswered -= 1
            self.statuses["lost"] += 1
        elif connection in self._idle:
            self._idle.remove(connection)


async def drive(pace: Pace) -> Paced:
    """Carry an order out."""
    return await _Crowd(pace).drive()


if __name__ == "__main__":
    main(Pace, drive)
