"""One connection to Valkey that many tasks share: commands go out as they come, replies come back in their order."""

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shoal.drivers.base.observing import Asking
from shoal.drivers.valkey.wire import Reply, command, reply
from shoal.errors import EngineError, Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where a server listens, and as whom it is entered.

    Args:
        socket: Its UNIX socket; not looked at where there is a host.
        user: A name of its access list.
        password: Of that user.
        within: Seconds that connecting may take.
        most: Commands that may wait for their replies; a server that hangs must not fill our memory.
        host: Name or address of a server on a network.
        port: Its port there.
        tls: How its certificate is verified; None speaks in the clear.
    """

    user: str
    password: str = field(repr=False)
    within: float = 1.0
    most: int = 4096
    socket: Path = Path()
    host: str = ""
    port: int = 6379
    tls: ssl.SSLContext | None = None

    @property
    def place(self) -> str:
        """Where that is, for messages."""
        return f"{self.host}:{self.port}" if self.host else str(self.socket)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect, and no more; raises `OSError`."""
        if not self.host:
            return await asyncio.open_unix_connection(str(self.socket))
        reader, writer = await asyncio.open_connection(self.host, self.port, ssl=self.tls)
        _watch(writer.get_extra_info("socket"))
        return reader, writer


_GONE = 5
"""Seconds after which a machine that does not even acknowledge is gone."""


class Link:
    """A connection, made when it is first needed and again after it has failed. Use it in one event loop."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: deque[asyncio.Future[Reply]] = deque()
        self._reading: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()

    @property
    def place(self) -> str:
        """Where that is, for messages."""
        return self._door.place

    async def call(self, *words: str | bytes | int) -> Reply:
        """Send one command and return its reply.

        Raises:
            UnicodeEncodeError: A word has half a surrogate pair; nothing is sent.
            Unavailable: The server cannot be reached, or too many wait for it, or the connection ended; only then the
                command may have been carried out.
            EngineError: The server refuses the command, or the user.
        """
        with Asking("redis", str(words[0])):
            writer = self._writer or await self._open()
            self._require_room()
            found = await self._sent(writer, *words)
            if isinstance(found, EngineError):
                raise found
            return found

    async def calls(self, commands: Sequence[Sequence[str | bytes | int]]) -> list[Reply]:
        """Send commands together and return their replies, in their order.

        Raises:
            Unavailable: As for `call`; some of them may have been carried out.
            EngineError: The server refuses one; the others were carried out.
        """
        found = await self.replies(commands)
        for one in found:
            if isinstance(one, EngineError):
                raise one
        return found

    async def replies(self, commands: Sequence[Sequence[str | bytes | int]]) -> list[Reply]:
        """Send commands together and return their replies, refusals among them, in their order.

        Raises:
            Unavailable: As for `call`; some of them may have been carried out.
        """
        with Asking("redis", " ".join(dict.fromkeys(str(words[0]) for words in commands))):
            return await self._replies(commands)

    async def _replies(self, commands: Sequence[Sequence[str | bytes | int]]) -> list[Reply]:
        writer = self._writer or await self._open()
        self._require_room()
        written = b"".join([command(*words) for words in commands])  # may fail, and then nobody may wait for a reply
        loop = asyncio.get_running_loop()
        awaited = [loop.create_future() for _ in commands]
        self._waiting.extend(awaited)
        writer.write(written)
        try:
            await asyncio.wait(awaited[-1:])  # the others come before it
        except asyncio.CancelledError:
            for one in awaited:
                one.cancel()
            raise
        failures = [one.exception() for one in awaited]  # each is looked at, or it would be reported as lost
        for failure in filter(None, failures):
            raise failure
        return [one.result() for one in awaited]

    async def close(self) -> None:
        """End the connection; who still waits gets `Unavailable`."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    def _require_room(self) -> None:
        if len(self._waiting) >= self._door.most:
            raise Unavailable(f"Valkey at {self._door.place} has left {len(self._waiting)} commands without a reply")

    async def _open(self) -> asyncio.StreamWriter:
        async with self._opening:
            if self._writer is not None:
                return self._writer
            try:
                async with asyncio.timeout(self._door.within):
                    self._writer = await self._enter()
            except OSError as error:  # a timeout is one too
                await self.close()
                raise Unavailable(f"cannot reach Valkey at {self._door.place}: {str(error) or 'no answer'}") from error
            except BaseException:
                await self.close()
                raise
            return self._writer

    async def _enter(self) -> asyncio.StreamWriter:
        reader, writer = await self._door.connect()
        reading = self._reading = asyncio.create_task(self._read(reader, writer))
        admitted = await self._sent(writer, "AUTH", self._door.user, self._door.password)
        if isinstance(admitted, EngineError):
            raise admitted
        if reading.done():  # the end came right behind the reply: nobody would read what is asked now
            raise Unavailable(f"Valkey at {self._door.place} ended the connection")
        return writer

    def _sent(self, writer: asyncio.StreamWriter, *words: str | bytes | int) -> "asyncio.Future[Reply]":
        written = command(*words)  # may fail, and then nobody may wait for a reply
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        writer.write(written)
        return waiting

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting = self._waiting
        try:
            while True:
                found = await reply(reader)
                one = waiting.popleft()  # a reply to nothing ends the connection, too
                if not one.done():  # else its caller has given up
                    one.set_result(found)
        except (OSError, EOFError, ValueError, IndexError, asyncio.LimitOverrunError):
            pass
        finally:
            self._writer, self._waiting = None, deque()
            writer.close()
            for one in waiting:
                if not one.done():
                    one.set_exception(Unavailable(f"Valkey at {self._door.place} ended the connection"))


def _watch(connected: socket.socket) -> None:
    """Let the system notice within seconds that the other machine is gone; else that takes a quarter of an hour."""
    settings = (("TCP_KEEPIDLE", _GONE), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 2), ("TCP_USER_TIMEOUT", _GONE * 1000))
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in settings:
        with contextlib.suppress(AttributeError, OSError):  # not every system has each
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
