"""Clients that mean harm: they send what no library would, and tell what became of it.

``SHOAL_HOSTILE=50`` multiplies how many there are (``make hostile``).
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from shoal.mesh.layout import Tcp
from tests.mesh.wire import ask
from tests.mesh.world import World, eventually_served

TIMES = int(os.environ.get("SHOAL_HOSTILE", "1"))
"""How often the small numbers of the quick run are to be had."""

PATIENCE = 30.0 + TIMES
"""Seconds after which a test has hung."""

GROWTH = 64 * 1024 * 1024
"""Bytes by which Envoy may grow under any of this."""

BIG = 16 * 1024 * 1024
"""Bytes of an answer that no socket can hold."""

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Write a frame of HTTP/2 (RFC 9113, 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def literal(name: bytes, value: bytes) -> bytes:
    """Write a field without indexing and without Huffman's code (RFC 7541, 6.2.2)."""
    return b"\x00" + _string(name) + _string(value)


def _string(text: bytes) -> bytes:
    return integer(len(text), 7) + text


def integer(value: int, bits: int) -> bytes:
    """Write an integer behind a prefix of zeros (RFC 7541, 5.1)."""
    most = (1 << bits) - 1
    if value < most:
        return bytes((value,))
    found, value = [most], value - most
    while value >= 128:
        found.append(value % 128 + 128)
        value //= 128
    return bytes((*found, value))


def request(path: bytes = b"/open", method: bytes = b"\x82") -> bytes:
    """Write the fields of a request; `method` is GET unless it says otherwise."""
    return method + b"\x86" + b"\x04" + _string(path) + b"\x01" + _string(b"a.test")


@dataclass(slots=True)
class Peer:
    """One connection to the edge."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    got: bytearray = field(default_factory=bytearray)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, data: bytes) -> bool:
        """Send, and tell whether the edge still listens."""
        if self.closed.is_set():
            return False
        try:
            self.writer.write(data)
            await asyncio.wait_for(self.writer.drain(), PATIENCE)
        except OSError:
            self.closed.set()
        await asyncio.sleep(0)
        return not self.closed.is_set()

    async def send_all(self, parts: Iterable[bytes]) -> int:
        """Send until the edge has had enough; tell how many parts went out."""
        count = 0
        for part in parts:
            if not await self.send(part):
                break
            count += 1
        return count

    async def listen(self) -> None:
        with contextlib.suppress(OSError):
            while data := await self.reader.read(65536):
                self.got += data
        self.closed.set()

    async def ended(self) -> bytes:
        """Wait until the edge ends the connection; return what it said before."""
        await asyncio.wait_for(self.closed.wait(), PATIENCE)
        return bytes(self.got)

    def frames(self) -> list[tuple[int, int, bytes]]:
        """Take what came apart: type, stream, payload."""
        found, rest = [], bytes(self.got)
        while len(rest) >= 9 and len(rest) >= 9 + (size := int.from_bytes(rest[:3], "big")):
            found.append((rest[3], int.from_bytes(rest[5:9], "big"), rest[9 : 9 + size]))
            rest = rest[9 + size :]
        return found


@contextlib.asynccontextmanager
async def connected(where: Tcp, *, deaf: bool = False) -> AsyncIterator[Peer]:
    """Connect; a deaf peer never reads."""
    reader, writer = await asyncio.open_connection(where.host, where.port)
    made = Peer(reader, writer)
    listening = asyncio.ensure_future(asyncio.sleep(0) if deaf else made.listen())
    try:
        yield made
    finally:
        listening.cancel()
        writer.transport.abort()
        await asyncio.gather(listening, return_exceptions=True)


@contextlib.asynccontextmanager
async def peer(world: World, *, deaf: bool = False) -> AsyncIterator[Peer]:
    """Connect to the edge."""
    edge = world.layout.edge()
    assert isinstance(edge, Tcp)
    async with connected(edge, deaf=deaf) as made:
        yield made


@contextlib.asynccontextmanager
async def peer2(world: World, *, deaf: bool = False) -> AsyncIterator[Peer]:
    """Connect by HTTP/2."""
    async with peer(world, deaf=deaf) as made:
        await made.send(PREFACE + frame(SETTINGS, 0, 0))
        yield made


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve a short answer, and under ``/big`` one that no socket can hold."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            size = BIG if head.startswith(b"GET /big") else 2
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
            for start in range(0, size, 65536):
                writer.write(b"x" * min(65536, size - start))
                await writer.drain()
    writer.transport.abort()


@contextlib.asynccontextmanager
async def serving_endlessly(world: World, service: str) -> AsyncIterator[None]:
    """Run `endless` as the only replica of a service."""
    where = world.layout.replica(service, 0)
    server = await asyncio.start_unix_server(endless, where.path)
    world.point(service, where)
    await eventually_served(world, service)
    yield
    server.close()


async def number(world: World, name: str) -> int:
    """Ask Envoy for one of its counters."""
    answer = await ask(world.layout.admin(), f"GET /stats?filter=^{name}$", headers={"content-length": "0"})
    return int(answer.body.decode().rpartition(":")[2] or 0)


async def memory(world: World) -> int:
    """Ask Envoy for the bytes that it has in use."""
    answer = await ask(world.layout.admin(), "GET /memory", headers={"content-length": "0"})
    return int(answer.json["allocated"])


async def serve(world: World) -> None:
    """Ask as others do; where times are shortened, this process itself may be too slow, and asks again."""
    met: list[str] = []
    for _ in range(3):
        try:
            answer = await world.edge("GET /open")
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            met.append(repr(error))
            continue
        if answer.status == 200:
            return
        met.append(f"{answer.status} {answer.body!r}")
    raise AssertionError(f"others are not served: {met}")


async def unharmed(world: World, attack: Callable[[], Awaitable[None]]) -> None:
    """Attack, while others ask: each of them is served, the edge lives on and has not grown."""
    before = await memory(world)
    await serve(world)
    attacking = asyncio.ensure_future(attack())
    try:
        while not attacking.done():
            await serve(world)
            await asyncio.wait({attacking}, timeout=0.02)
        await attacking
    finally:
        attacking.cancel()
        await asyncio.gather(attacking, return_exceptions=True)
    await serve(world)
    assert await memory(world) - before < GROWTH
