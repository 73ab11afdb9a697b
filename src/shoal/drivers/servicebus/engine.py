"""AMQP 1.0 over asyncio: the one file that knows Apache Qpid Proton, whose engine neither reads nor waits by itself.

Bytes are put in as they come and taken out as they can be sent; in between, the engine says what happened.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from proton import (
    Array,
    Collector,
    Connection,
    Delivery,
    Event,
    Link,
    Message,
    ProtonException,
    Transport,
    int32,
    symbol,
)

__all__ = ["Carried", "Delivery", "Engine", "Event", "Link", "decode", "int32", "symbol"]

FRAME = 64 * 1024
"""Bytes of the largest frame, which is Service Bus's own."""

IDLE_SECONDS = 30.0
"""For so long the other side may be silent; it sends empty frames meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A message, as far as anybody here looks at it."""

    body: Any
    """Bytes are carried as data, all else as a value."""
    id: Any = ""
    """A text, a number or a UUID, like `correlation`."""
    subject: str = ""
    group: str = ""
    correlation: Any = ""
    reply_to: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    annotations: Mapping[str, Any] = field(default_factory=dict)
    deliveries: int = 0
    """How often it was delivered before."""

    def encode(self) -> bytes:
        """Write it; raises `ValueError` when it has what cannot be written."""
        message = Message(body=self.body, inferred=isinstance(self.body, bytes), durable=True)
        message.id, message.correlation_id = self.id or None, self.correlation or None
        message.subject, message.group_id, message.reply_to = self.subject or None, self.group or None, self.reply_to
        message.delivery_count = self.deliveries
        message.properties = dict(self.properties) or None
        message.annotations = {symbol(name): value for name, value in self.annotations.items()} or None
        try:
            return bytes(message.encode())
        except ProtonException as error:
            raise ValueError(str(error)) from error


def decode(data: bytes) -> Carried:
    """Read a message; raises `ValueError` for what is none."""
    message = Message()
    try:
        message.decode(bytes(data))
    except ProtonException as error:
        raise ValueError(str(error)) from error
    return Carried(
        body=_own(message.body),
        id=message.id or "",
        subject=message.subject or "",
        group=message.group_id or "",
        correlation=message.correlation_id or "",
        reply_to=message.reply_to or "",
        properties=_own(message.properties or {}),
        annotations=_own(message.annotations or {}),
        deliveries=message.delivery_count,
    )


def _own(value: Any) -> Any:
    """Copy what was read: Proton's binaries are windows into its message, and end with it."""
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, dict):
        return {str(name): _own(each) for name, each in value.items()}
    return [_own(each) for each in value] if isinstance(value, (list, Array)) else value


class Engine(asyncio.Protocol):
    """Either side of one connection: bytes go in and out, and events come of them."""

    def __init__(self, *, serves: bool = False) -> None:
        self.connection, self._collector = Connection(), Collector()
        self.connection.collect(self._collector)
        self.transport = Transport(Transport.SERVER if serves else Transport.CLIENT)
        self.transport.max_frame_size, self.transport.idle_timeout = FRAME, IDLE_SECONDS
        self.transport.sasl().allowed_mechs("ANONYMOUS")
        self.transport.bind(self.connection)
        self._socket: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._soon = False
        self._busy = False

    def heard(self, event: Event) -> None:
        """Take note of an event."""
        raise NotImplementedError

    def ended(self) -> None:
        """Take note that the socket is gone."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._socket = cast("asyncio.Transport", transport)  # uvloop's is none by name
        self.flush()

    def data_received(self, data: bytes) -> None:
        """Let it understand what came, and say what follows of it."""
        left = memoryview(data)
        try:
            while left and (room := self.transport.capacity()) > 0:
                self.transport.push(bytes(left[:room]))
                left = left[room:]
                self._dispatch()
        except ProtonException:
            self.abort()
        else:
            self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        del exc
        self._socket = None
        if self._timer is not None:
            self._timer.cancel()
        self.ended()

    def flush(self) -> None:
        """Send what there is to be said."""
        self._soon = False
        if self._socket is None or self._busy:
            return
        try:
            self._dispatch()
            self._tick()
            pending = self.transport.pending()
            while pending > 0:
                data = self.transport.peek(pending)
                self._socket.write(bytes(data))
                self.transport.pop(len(data))
                self._dispatch()
                pending = self.transport.pending()
        except ProtonException:
            pending = -1
        if pending < 0 and self._socket is not None:
            self._socket.close()

    def flush_soon(self) -> None:
        """Send what there is to be said, together with what else is said in this turn."""
        if not self._soon and self._socket is not None:
            self._soon = True
            asyncio.get_running_loop().call_soon(self.flush)

    def abort(self) -> None:
        """Let go of the socket without a word."""
        if self._socket is not None:
            self._socket.abort()

    def _dispatch(self) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            while (event := self._collector.peek()) is not None:
                self.heard(event)
                self._collector.pop()
        finally:
            self._busy = False

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        due = self.transport.tick(loop.time())
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(due, self.flush) if due else None
