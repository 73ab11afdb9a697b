"""A service's connections to a cluster, which never give up.

Nodes answer the requests of one connection in order, and one that waits for messages holds up what comes behind it. So
there are three lanes to a node: for questions, for what is published, and for messages. When any connection is lost,
all are: what was known of the cluster may no longer hold. Everything begins anew, in a new epoch.
"""

import asyncio
import contextlib
import logging
import random
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from shoal.drivers.base.pauses import reconnecting
from shoal.drivers.kafka import library
from shoal.drivers.kafka.address import Address
from shoal.errors import EngineError, Unavailable, Undeclared

OPEN_SECONDS = 5.0
CLOSE_SECONDS = 4.0
PING_SECONDS = 1.0
ANSWER_SECONDS = 5.0
"""Without an answer for so long the node is away; a request for messages may take as much longer as it waits."""

STEADY_SECONDS = 5.0
"""A connection that ends sooner is made again after a longer pause than the one before."""

UNKNOWN_TOPIC = 3
NOT_COORDINATOR = (14, 15, 16)
MOVED = (1, UNKNOWN_TOPIC, 5, 6, 9, 13, 56, 74, 75, 76, 100, 103)
"""Errors that say that what is known of a partition does not hold: its leader, its offsets, or that it is the same."""

_log = logging.getLogger("shoal.kafka")

Lane = Literal["ask", "say", "hear"]


class Link:
    """The connections of one user.

    Args:
        address: Where the cluster is.
        opened: Called when there is a new connection, before anybody else uses it.
        lost: Called when answers to what was asked so far will not come.
    """

    def __init__(self, address: Address, opened: Callable[[], Awaitable[None]], lost: Callable[[], None]) -> None:
        self.address = address
        self.epoch = 0
        """Grows whenever the connection is made or lost, before anything goes through the next one."""
        self._opened, self._heard_lost = opened, lost
        self._lanes: dict[tuple[int, Lane], asyncio.Task[library.Connection]] = {}
        self._live: set[library.Connection] = set()
        self._nodes: dict[int, tuple[str, int]] = {}
        self._topics: dict[str, library.Topic] = {}
        self._coordinators: dict[str, int] = {}
        self._ready = False
        self._closing = True
        self._reopening: asyncio.Task[None] | None = None
        self._tls: ssl.SSLContext | None = None
        self._attempt = 0
        self._since = 0.0

    @property
    def alive(self) -> bool:
        """Whether something can be asked now."""
        return self._ready

    def away(self) -> Unavailable:
        """Say that nobody can be asked."""
        return Unavailable(f"cannot reach {self.address.place}", hint="it is connected to again as soon as it is there")

    def require(self) -> None:
        """Raise `Unavailable` unless something can be asked now."""
        if not self._ready:
            raise self.away()

    async def open(self) -> None:
        """Connect, and stay connected for ever after."""
        self._closing = False
        try:
            await self._connect()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of every connection."""
        self._closing = True
        if self._reopening is not None:
            self._reopening.cancel()
        if self._ready:
            self.lose()
        await self._drop()

    async def ping(self, first: Callable[[], Awaitable[None]]) -> None:
        """Do something first, whatever comes of it, and ask some node for a sign of life."""
        self.require()
        try:
            async with asyncio.timeout(PING_SECONDS):
                with contextlib.suppress(EngineError, Undeclared):
                    await first()
                await self.ask(library.metadata(()))
        except TimeoutError as error:
            raise Unavailable(f"{self.address.place} did not answer within {PING_SECONDS:g} s") from error

    async def topic(self, name: str, *, fresh: bool = False) -> library.Topic | None:
        """Look a topic up; None when there is none."""
        if fresh or name not in self._topics:
            self._topics.pop(name, None)
            answer = await self.ask(library.metadata((name,)))
            self._nodes = library.nodes(answer) or self._nodes
            (found,) = library.topics(answer)
            if found.error == UNKNOWN_TOPIC:
                return None
            if found.error or found.leader not in self._nodes:
                what = library.error_name(found.error) if found.error else "it has no leader"
                raise Unavailable(f"{self.address.place} cannot serve topic {name}: {what}", hint="try again")
            self._topics[name] = found
        return self._topics[name]

    async def coordinator(self, group: str) -> int:
        """Look up the node that keeps the offsets of a group."""
        if group not in self._coordinators:
            answer = await self.ask(library.find_coordinator(group))
            if answer.error_code:
                what = f"{self.address.place} names no coordinator of group {group}"
                raise Unavailable(f"{what}: {library.error_name(answer.error_code)}", hint="try again")
            self._coordinators[group] = answer.coordinator_id
        return self._coordinators[group]

    async def ask(self, request: Any, *, node: int | None = None, lane: Lane = "ask", waits: float = 0.0) -> Any:
        """Send a request and wait for its answer; `Unavailable` when none came.

        Args:
            request: What is asked.
            node: Who is asked; anybody when None.
            lane: Over which connection.
            waits: Seconds that the node may take beyond the usual.
        """
        self.require()
        epoch = self.epoch
        return await self._asked(request, random.choice([*self._nodes]) if node is None else node, lane, waits, epoch)  # noqa: S311 - spreads load

    async def _asked(self, request: Any, node: int, lane: Lane, waits: float, epoch: int) -> Any:
        try:
            async with asyncio.timeout(ANSWER_SECONDS + waits):
                connection = await self._lane(node, lane)
                return await connection.send(request)
        except library.FAILURES as error:
            if epoch == self.epoch:
                self.lose()
            raise self.away() from error

    def lose(self) -> None:
        """Begin anew, with every connection: one is lost, or what is known of the cluster does not hold."""
        if not self._ready:
            return
        self._fall()
        self._shut()
        if not self._closing and (self._reopening is None or self._reopening.done()):
            self._reopening = asyncio.ensure_future(self._reopen())

    def _fall(self) -> None:
        """Let everybody know that answers to what was asked so far will not come."""
        self._ready = False
        self.epoch += 1
        self._heard_lost()

    async def _lane(self, node: int, lane: Lane) -> library.Connection:
        key = (node, lane)
        if key not in self._lanes:
            if node not in self._nodes:
                raise self.away()
            self._lanes[key] = asyncio.ensure_future(self._dial(*self._nodes[node]))
        return await asyncio.shield(self._lanes[key])

    async def _dial(self, host: str, port: int) -> library.Connection:
        epoch = self.epoch
        # Longer than anybody waits: who does not get an answer loses the connection by himself.
        connection = await library.connect(host, port, self.address, self._tls, ANSWER_SECONDS * 4, self._ended)
        self._live.add(connection)
        if epoch != self.epoch:  # given up at the moment when it was made
            self._live.discard(connection)
            connection.close()
            raise self.away()
        return connection

    def _ended(self, connection: library.Connection) -> None:
        if connection in self._live:
            self._live.discard(connection)
            self.lose()

    async def _connect(self) -> None:
        """Ask any node who the others are."""
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await self._meet()
                self.epoch += 1
                self._ready = True
                await self._opened()
                self.require()
                self._since = asyncio.get_running_loop().time()
        except BaseException as error:
            if self._ready:  # somebody may have begun to use it
                self._fall()
            await self._drop()
            if isinstance(error, library.REFUSED):
                raise EngineError(
                    f"{self.address.place} was refused", hint="check the user and the password of its URL"
                ) from error
            if isinstance(error, library.FAILURES):
                hint = "start Kafka, or check the broker's URL"
                raise Unavailable(f"cannot reach {self.address.place}", hint=hint) from error
            raise

    async def _meet(self) -> None:
        failure: Exception = self.away()
        self._tls = self._tls or self.address.tls_context()  # reads every certificate of the machine
        for host, port in random.sample(self.address.servers, len(self.address.servers)):
            try:
                connection = await self._dial(host, port)
                self._nodes = library.nodes(await connection.send(library.metadata(())))
            except library.FAILURES as error:
                failure = error
            else:
                self._live.discard(connection)
                connection.close()
                return
        raise failure

    def _shut(self) -> list[asyncio.Future[None]]:
        """Close what is open, and return what is done when each is closed."""
        live, self._live = self._live, set()
        lanes, self._lanes = self._lanes, {}
        for dialling in lanes.values():
            dialling.cancel()
        self._topics.clear()
        self._coordinators.clear()
        return [connection.close() for connection in live]

    async def _drop(self) -> None:
        """Close what is open, without waiting long for a node that may be gone."""
        lanes = [*self._lanes.values()]
        closing = self._shut()
        await asyncio.gather(*lanes, return_exceptions=True)
        closing += self._shut()  # one that was made before it could be stopped
        if closing:
            await asyncio.wait(closing, timeout=CLOSE_SECONDS)

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
            except EngineError:
                continue
            except Exception:  # noqa: BLE001 - it must go on, whatever the client raises
                _log.exception("connecting to %s again failed", self.address.place)
                continue
            return
