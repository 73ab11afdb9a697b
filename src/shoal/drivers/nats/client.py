"""One connection to NATS that never gives up. The only file that imports nats-py.

nats-py closes its client for good when the server refuses it once, for example while it reloads its users; and by
default takes minutes to notice a dead server and buffers what is published meanwhile. None of that here.
"""

import asyncio
import contextlib
import random
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import nats.errors
from nats.aio.client import Client, Server
from nats.aio.msg import Msg
from nats.nuid import NUID

from shoal.drivers.base.pauses import reconnecting
from shoal.errors import EngineError, Unavailable

OPEN_SECONDS = 5.0
CLOSE_SECONDS = 4.0
PING_SECONDS = 1.0
STALE_SECONDS = 5.0
"""Pause between pings; the connection ends when one is due and the last one has no answer. For so long the kernel waits
for the other side to acknowledge what was sent."""

OLDEST = (2, 14)
"""Version that can rewind a consumer (ADR-60), and loses no stream when it is killed (nats-server#6888)."""

_SUBJECT = re.compile(r"[^\s.\x00-\x20\x7f]+(\.[^\s.\x00-\x20\x7f]+)*")
_VIOLATION = re.compile(r'permissions violation for (publish|subscription) to "([^"]*)"', re.IGNORECASE)


class Incoming(Protocol):
    """A message as it arrives."""

    subject: str
    reply: str
    data: bytes
    headers: dict[str, str] | None


Handler = Callable[[Incoming], None]
"""Takes what arrives at a part of the inbox. What a stream delivers keeps the subject it was published to."""


class Listener(Protocol):
    """Hears what happens to a connection."""

    def lost(self) -> None:
        """Learn that answers to what was sent so far will not come."""
        ...

    def refused(self, subject: str) -> None:
        """Learn that the server refused to take a message for `subject`, which arrives in lower case."""
        ...


class Connection:
    """A connection with an inbox of its own."""

    def __init__(self, url: str, listener: Listener) -> None:
        parts = urlsplit(url)
        self.user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._servers = [f"{parts.scheme}://{host}" for host in parts.netloc.rpartition("@")[2].split(",")]
        self._listener = listener
        prefix = f"_INBOX_{self.user}" if self.user else "_INBOX"
        self.inbox = f"{prefix}.{NUID().next().decode()}"
        """Subject below which answers to this connection arrive."""
        self._handlers: dict[str, Handler] = {}
        self._client: Client | None = None
        self._closing = False
        self._reopening: asyncio.Task[None] | None = None
        self._pinging: asyncio.Task[None] | None = None
        self._refusal: Exception | None = None
        self.epoch = 0
        """Grows whenever the connection is made or lost, before anything goes through the next one."""

    @property
    def place(self) -> str:
        """Where the server is, without secrets."""
        return f"NATS at {', '.join(self._servers)} as {self.user!r}"

    @property
    def alive(self) -> bool:
        """Whether something can be sent now."""
        return self._client is not None and self._client.is_connected

    async def open(self) -> None:
        """Connect, and stay connected for ever after."""
        self._closing = False
        await self._connect()

    async def close(self) -> None:
        """Let go of the connection, whatever state it is in."""
        self._closing = True
        for task in (self._reopening, self._pinging):
            if task is not None:
                task.cancel()
        client, self._client = self._client, None
        if client is not None:
            await _discard(client)
        self._listener.lost()

    async def ping(self) -> None:
        """Ask the server for a sign of life."""
        client = self._require()
        if self._pinging is None or self._pinging.done():
            # Not cancelled when it is late: nats-py stops reading when a pong comes for a ping that was given up.
            self._pinging = asyncio.ensure_future(client.flush(60))
        done, _ = await asyncio.wait({self._pinging}, timeout=PING_SECONDS)
        if not done or self._pinging.cancelled() or self._pinging.exception() is not None:
            raise Unavailable(f"{self.place} did not answer within {PING_SECONDS:g} s")

    async def doubt(self) -> None:
        """Connect anew unless the server gives a sign of life: an answer that was due has not come."""
        client = self._client
        try:
            await self.ping()
        except Unavailable:
            if client is not None and client is self._client and not self._closing:
                self._client = None
                self._lost(client)
                self._reopen_soon()
                await _discard(client)

    async def listen(self, part: str, handler: Handler) -> None:
        """Hand what arrives at the tokens ``part.*`` of the inbox to `handler`, also after reconnecting."""
        self._handlers[part] = handler
        if self._client is not None:
            await self._subscribe(self._client, part, handler)

    async def send(
        self, subject: str, body: bytes, *, token: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        """Send a message, to be answered at `token` of the inbox. Never waits for a server."""
        client = self._require()
        if not _is_subject(subject):
            raise EngineError(f"{subject!r} is no subject", hint="use words, separated by dots")
        reply = f"{self.inbox}.{token}" if token else ""
        try:
            await client.publish(subject, body, reply, dict(headers) if headers else None)
        except nats.errors.MaxPayloadError as error:
            raise EngineError(
                f"a message of {len(body)} bytes for {subject} is larger than NATS takes",
                hint="keep large content elsewhere and send its address",
            ) from error
        except (nats.errors.OutboundBufferLimitError, nats.errors.ConnectionClosedError, OSError) as error:
            raise self._away() from error
        except (nats.errors.Error, ValueError) as error:
            raise EngineError(f"NATS cannot carry a message for {subject!r}: {error}") from error

    async def answer(self, reply: str, body: bytes) -> None:
        """Answer a message, if the connection is there; the server wrote the subject itself."""
        client = self._client
        if client is not None and client.is_connected:
            with contextlib.suppress(nats.errors.Error, OSError):
                await client.publish(reply, body)

    def _require(self) -> Client:
        if self._client is None or not self._client.is_connected:
            raise self._away()
        return self._client

    def _require_open(self, client: Client) -> None:
        if client.is_closed:
            raise self._away()

    def _away(self) -> Unavailable:
        return Unavailable(f"cannot reach {self.place}", hint="it is connected to again as soon as it is there")

    async def _connect(self) -> None:
        """Open a fresh client and listen at the inbox."""
        client = Client()
        self._refusal = None
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await self._dial(client)
                for part, handler in self._handlers.items():
                    await self._subscribe(client, part, handler)
                self._require_open(client)
        except BaseException as error:
            await _discard(client)
            if isinstance(error, (TimeoutError, OSError, nats.errors.Error)):
                raise self._not_open() from error
            raise
        self.epoch += 1
        self._client = client

    async def _dial(self, client: Client) -> None:
        """Connect, and do not try again with credentials that were refused."""

        async def disconnected() -> None:
            if client is self._client:
                self._lost(client)

        async def closed() -> None:
            self._closed(client)

        async def reconnected() -> None:
            _watch_socket(client)

        heard: dict[str, Any] = {"disconnected_cb": disconnected, "closed_cb": closed, "reconnected_cb": reconnected}
        dialling = asyncio.ensure_future(client.connect(self._servers, **heard, **self._options()))
        try:
            while not dialling.done():
                await asyncio.wait({dialling}, timeout=0.1)
                if self._unwelcome:
                    raise nats.errors.AuthorizationError
            await dialling
            self._require_version(client)
            _watch_socket(client)
        finally:
            dialling.cancel()

    def _options(self) -> dict[str, Any]:
        """Say how to connect: at once again when the connection is lost, and with nothing kept for later."""
        return {
            "user": self.user or None,
            "password": self._password or None,
            "name": f"shoal {self.user}",
            "error_cb": self._erred,
            "reconnect_to_server_handler": _next_server,
            "connect_timeout": 2,
            "reconnect_time_wait": 0.1,
            "max_reconnect_attempts": -1,
            "ping_interval": STALE_SECONDS,
            "max_outstanding_pings": 1,
            "inbox_prefix": self.inbox,
            "pending_size": 0,
            "skip_subject_validation": True,
            "flush_timeout": 2.0,
        }

    def _require_version(self, client: Client) -> None:
        found = client.connected_server_version
        if (found.major, found.minor) < OLDEST:
            raise EngineError(
                f"{self.place} is version {found.major}.{found.minor}, which cannot rewind consumers",
                hint=f"use NATS {OLDEST[0]}.{OLDEST[1]} or later",
            )

    @property
    def _unwelcome(self) -> bool:
        return "authorization" in str(self._refusal).lower()

    def _not_open(self) -> EngineError:
        if self._unwelcome:
            return EngineError(f"{self.place} was refused", hint="check the user and the password of its URL")
        reason = f": {self._refusal}" if self._refusal else ""
        return Unavailable(f"cannot reach {self.place}{reason}", hint="start NATS, or check the broker's URL")

    async def _subscribe(self, client: Client, part: str, handler: Handler) -> None:
        async def arrived(message: Msg) -> None:
            handler(message)

        try:
            await client.subscribe(f"{self.inbox}.{part}.*", cb=arrived)
        except nats.errors.ConnectionClosedError as error:
            raise self._away() from error

    async def _erred(self, error: Exception) -> None:
        self._refusal = error
        match = _VIOLATION.search(str(error))
        if match:
            self._listener.refused(match[2] if match[1] == "publish" else "")

    def _lost(self, client: Client) -> None:
        self.epoch += 1
        _forget(client)
        if self._pinging is not None:
            self._pinging.cancel()
        self._listener.lost()

    def _closed(self, client: Client) -> None:
        """Begin anew with another client when ours gave up; one that never got through is tried again by who opens."""
        if client is not self._client:
            return
        self._lost(client)
        self._reopen_soon()

    def _reopen_soon(self) -> None:
        if not self._closing and (self._reopening is None or self._reopening.done()):
            self._reopening = asyncio.ensure_future(self._reopen())

    async def _reopen(self) -> None:
        attempt = 0
        while not self._closing:
            with contextlib.suppress(EngineError):
                await self._connect()
                return
            await asyncio.sleep(reconnecting(attempt))
            attempt += 1


@lru_cache(maxsize=4096)
def _is_subject(text: str) -> bool:
    return _SUBJECT.fullmatch(text) is not None


def _watch_socket(client: Client) -> None:
    """Let the kernel end a connection over which nothing arrives any more."""
    writer = getattr(client._transport, "_io_writer", None)  # noqa: SLF001 - nats-py offers no way to its socket
    found: socket.socket | None = None if writer is None else writer.get_extra_info("socket")
    if found is None or found.family == socket.AF_UNIX:
        return
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    seconds = int(STALE_SECONDS)
    for name, value in (
        ("TCP_KEEPIDLE", seconds), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 2), ("TCP_USER_TIMEOUT", seconds * 1000)
    ):  # fmt: skip
        if hasattr(socket, name):  # not all are known to macOS
            found.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _forget(client: Client) -> None:
    """Keep nats-py from sending, once it is connected again, what was reported lost."""
    client._pending, client._pending_data_size = [], 0  # noqa: SLF001 - nats-py offers no way to take it back


def _next_server(servers: Sequence[Server], _: Mapping[str, object]) -> tuple[Server, float]:
    """Choose any server, after a pause that grows and differs between clients."""
    chosen = random.choice(servers)  # noqa: S311 - spreads load, guards nothing
    return chosen, reconnecting(chosen.reconnects)


async def _discard(client: Client) -> None:
    """Close a client without waiting for a server that may be gone."""
    closing = asyncio.ensure_future(client.close())
    done, _ = await asyncio.wait({closing}, timeout=CLOSE_SECONDS)
    if done and not closing.cancelled():
        closing.exception()
    closing.cancel()
