"""A service's connection to a broker, which never gives up.

When it is lost, everything that was known over it is: all begins anew, in a new epoch. A channel that the server ends
is the matter of whoever uses it.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shoal.drivers.base.pauses import reconnecting
from shoal.drivers.rabbitmq import library
from shoal.drivers.rabbitmq.address import Address
from shoal.errors import EngineError, ShoalError, Unavailable, Undeclared

T = TypeVar("T")

OPEN_SECONDS = 5.0
CLOSE_SECONDS = 3.0
PING_SECONDS = 1.0
ANSWER_SECONDS = 5.0
"""Without an answer for so long the server is away."""

STEADY_SECONDS = 5.0
"""A connection that ends sooner is made again after a longer pause than the one before."""

_log = logging.getLogger("shoal.rabbitmq")


class Link:
    """The connection of one user.

    Args:
        address: Where the broker is.
        opened: Called when there is a new connection, before anybody else uses it.
        lost: Called when answers to what was asked so far will not come.
    """

    def __init__(self, address: Address, opened: Callable[[], Awaitable[None]], lost: Callable[[], None]) -> None:
        self.address = address
        self.epoch = 0
        """Grows whenever the connection is made or lost, before anything goes through the next one."""
        self._opened, self._heard_lost = opened, lost
        self._connection: library.Connection | None = None
        self._asking: library.Channel | None = None
        self._closing = True
        self._tasks: set[asyncio.Task[None]] = set()
        self._reopening: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._tls: ssl.SSLContext | None = None
        self._attempt = 0
        self._since = 0.0

    @property
    def alive(self) -> bool:
        """Whether something can be asked now."""
        return self._connection is not None

    def away(self) -> Unavailable:
        """Say that nobody can be asked."""
        return Unavailable(f"cannot reach {self.address.place}", hint="it is connected to again as soon as it is there")

    def require(self) -> library.Connection:
        """Raise `Unavailable` unless something can be asked now."""
        if self._connection is None:
            raise self.away()
        return self._connection

    async def open(self) -> None:
        """Connect, and stay connected for ever after."""
        self._closing = False
        try:
            await self._connect()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of the connection."""
        self._closing = True
        if self._reopening is not None:
            self._reopening.cancel()
            await asyncio.gather(self._reopening, return_exceptions=True)
        self.lose()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def ping(self, first: Callable[[], Awaitable[None]]) -> None:
        """Do something first, whatever comes of it, and ask for a sign of life."""
        connection = self.require()
        try:
            async with asyncio.timeout(PING_SECONDS):
                with contextlib.suppress(EngineError, Undeclared):
                    await first()
                await self._pulse()
        except TimeoutError as error:
            if await connection.blocked():
                raise self.full() from error
            raise Unavailable(f"{self.address.place} did not answer within {PING_SECONDS:g} s") from error

    def full(self) -> Unavailable:
        """Say that the server takes no more."""
        what = f"{self.address.place} takes no messages: it is short of memory or disk (an alarm blocks who publishes)"
        return Unavailable(what, hint="free disk or memory of the server; it goes on by itself then")

    async def channel(self) -> library.Channel:
        """Open one more channel."""
        return await self.ask(self.require().channel())

    async def ask(self, asked: Awaitable[T]) -> T:
        """Wait for an answer; `Unavailable` when none came. `library.Ended` is the matter of who asks."""
        epoch, connection = self.epoch, self._connection
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await asked
        except (library.Gone, TimeoutError) as error:
            if isinstance(error, TimeoutError) and connection is not None and await connection.blocked():
                raise self.full() from error
            if epoch == self.epoch:
                self.lose()
            raise self.away() from error

    def refusal(self, ended: library.Ended, what: str) -> ShoalError:
        """Say why the server ended a channel.

        Args:
            ended: What it said.
            what: What was attempted.
        """
        if ended.forbidden:
            return Undeclared(f"this service may not {what}", hint="declare what it publishes and subscribes to")
        if ended.missing:
            return Unavailable(f"cannot {what}: there is no such thing", hint="declare the streams and consumers first")
        return Unavailable(f"{self.address.place} did not {what}: {ended.text}", hint="try again")

    def lose(self) -> None:
        """Begin anew: the connection is lost, or what is known over it does not hold."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        self._asking = None
        self.epoch += 1
        if self._watching is not None:
            self._watching.cancel()
        self._heard_lost()
        self._later(connection.close(CLOSE_SECONDS))
        if not self._closing and (self._reopening is None or self._reopening.done()):
            self._reopening = asyncio.ensure_future(self._reopen())

    def _later(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _ended(self, connection: library.Connection) -> None:
        if connection is self._connection:
            self.lose()

    async def _pulse(self) -> None:
        """Hear an answer on a channel that nothing else waits in."""
        if self._asking is None or not self._asking.open:
            self._asking = await self.channel()
        try:
            await self.ask(self._asking.barrier(1))
        except library.Ended as ended:
            raise self.refusal(ended, "be asked for a sign of life") from ended

    async def _watch(self) -> None:
        """Notice a connection that leads nowhere, which takes the client three heartbeats."""
        while True:
            await asyncio.sleep(ANSWER_SECONDS / 2)
            with contextlib.suppress(ShoalError):
                await self._pulse()

    async def _connect(self) -> None:
        self._tls = self._tls or self._context()
        connection: library.Connection | None = None
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                connection = await library.connect(self.address, self._tls)
                self.epoch += 1
                self._connection = connection
                connection.when_lost(self._ended)
                await self._opened()
                self.require()
                self._since = asyncio.get_running_loop().time()
                self._watching = asyncio.ensure_future(self._watch())
        except BaseException as error:
            if connection is not None and connection is self._connection:
                self._fall(connection)
            if isinstance(error, library.Refused):
                hint = "check the user, the password and the virtual host of its URL"
                raise EngineError(f"{self.address.place} was refused", hint=hint) from error
            if isinstance(error, library.Gone | TimeoutError | library.Ended):
                hint = "start RabbitMQ, or check the broker's URL"
                raise Unavailable(f"cannot reach {self.address.place}", hint=hint) from error
            raise

    def _fall(self, connection: library.Connection) -> None:
        """Let go of a connection that somebody may have begun to use."""
        self._connection, self._asking = None, None
        self.epoch += 1
        self._heard_lost()
        self._later(connection.close(CLOSE_SECONDS))

    def _context(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=self.address.ca or None) if self.address.tls else None

    async def _reopen(self) -> None:
        """Connect again: at once when the connection stood for long, else after a pause that grows."""
        if asyncio.get_running_loop().time() - self._since >= STEADY_SECONDS:
            self._attempt = 0
        while not self._closing:
            if self._attempt:
                await asyncio.sleep(reconnecting(self._attempt - 1))
            self._attempt += 1
            try:
                await self._connect()
            except (EngineError, Undeclared):
                continue
            except Exception:  # noqa: BLE001 - it must go on, whatever the client raises
                _log.exception("connecting to %s again failed", self.address.place)
                continue
            return
