"""What is used of aiormq: connections, channels and their methods. The only file that imports it.

Nothing of it that connects or declares again by itself is used: our link decides when all begins anew.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import aiormq
from aiormq import exceptions as amqp
from aiormq.connection import TCPTransportFactory, TLSTransportFactory, TransportFactory
from pamqp.commands import Basic

from shoal.drivers.rabbitmq.address import Address

T = TypeVar("T")

HEARTBEAT_SECONDS = 5
"""What is asked of the server, which lets go of a client that is silent for twice as long."""

_FORBIDDEN, _NOT_FOUND, _INVALID = 403, 404, 406
_REASONS: dict[type[Exception], int] = {
    amqp.ChannelAccessRefused: _FORBIDDEN,
    amqp.ChannelNotFoundEntity: _NOT_FOUND,
    amqp.ChannelLockedResource: 405,
    amqp.ChannelPreconditionFailed: _INVALID,
}

logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # what fails is said by us, once


class Gone(Exception):
    """The connection, or its server, answers no more."""


class Ended(Exception):
    """The server ended a channel, and says why."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text

    @property
    def forbidden(self) -> bool:
        """Whether the user lacks a right."""
        return self.code == _FORBIDDEN

    @property
    def missing(self) -> bool:
        """Whether there is no such thing; one whose process is not there yet is only away."""
        return self.code == _NOT_FOUND and "NOT_FOUND - no " in self.text

    @property
    def invalid(self) -> bool:
        """Whether it can never be done."""
        return self.code == _INVALID


class Refused(Exception):
    """The server does not let us in."""


class NotTaken(Exception):
    """The server did not take a message: it was returned, since no queue takes it, or could not be stored."""


class Parcel(NamedTuple):
    """A message as it comes off the wire."""

    tag: int
    offset: int
    """In a stream; -1 elsewhere."""
    key: str
    id: str
    mark: str
    """What its publisher recognises it by."""
    headers: Mapping[str, Any]
    body: bytes


class Channel:
    """One channel, whose end is not the end of others."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._acking: set[asyncio.Task[None]] = set()

    @property
    def open(self) -> bool:
        """Whether it can be used."""
        return not self._raw.is_closed

    def when_ended(self, say: Callable[[], None]) -> None:
        """Call this once when it ends, or when the server takes a subscription away."""
        self._raw.closing.add_done_callback(lambda _: say())
        self._raw.on_consumer_cancel_callbacks.add(lambda _: say())

    async def barrier(self, prefetch: int) -> None:
        """Say how many deliveries may be unanswered at a time, and hear that all that was asked before is done."""
        await _call(self._raw.basic_qos(prefetch_count=prefetch))

    async def subscribe(self, stream: str, offset: int | str, heard: Callable[[Parcel], None]) -> None:
        """Hear a stream from an offset on, or from ``first``, ``last`` or ``next``."""
        arguments = {"x-stream-offset": offset}
        await _call(self._raw.basic_consume(stream, lambda raw: heard(_parcel(raw)), arguments=arguments))

    def ack(self, tag: int) -> None:
        """Have the server send as many more as were answered up to this; nothing is raised."""
        if self.open:
            task = asyncio.ensure_future(self._ack(tag))
            self._acking.add(task)
            task.add_done_callback(self._acking.discard)

    async def _ack(self, tag: int) -> None:
        with contextlib.suppress(Gone, Ended):
            await _call(self._raw.basic_ack(tag, multiple=True, wait=False))

    def publish(
        self, exchange: str, key: str, body: bytes, *, identity: str = "", mark: str = "",
        headers: Mapping[str, Any] | None = None,
    ) -> asyncio.Task[None]:  # fmt: skip
        """Send a message after all that were sent before; ends when the server has confirmed it.

        It raises `NotTaken`, or as any other method does.
        """
        properties = Basic.Properties(
            delivery_mode=2, message_id=identity or mark, correlation_id=mark, headers=dict(headers or {})
        )
        sending = self._raw.basic_publish(
            body, exchange=exchange, routing_key=key, properties=properties, mandatory=True, wait=False
        )
        return asyncio.ensure_future(_call(sending))

    async def count(self, queue: str) -> int | None:
        """Say how many messages wait in a queue; None when there is none, and then the channel has ended."""
        try:
            found = await _call(self._raw.queue_declare(queue, passive=True))
        except Ended as ended:
            if ended.missing:
                return None
            raise
        return found.message_count or 0

    async def make_queue(self, queue: str, arguments: Mapping[str, Any]) -> None:
        """Make a durable queue."""
        await _call(self._raw.queue_declare(queue, durable=True, arguments=dict(arguments)))

    async def delete_queue(self, queue: str) -> None:
        """Delete a queue with all that it holds; one that is not there is passed over."""
        await _call(self._raw.queue_delete(queue))

    async def make_exchange(self, exchange: str) -> None:
        """Make a durable exchange that routes by words."""
        await _call(self._raw.exchange_declare(exchange, exchange_type="topic", durable=True))

    async def bind(self, queue: str, exchange: str, key: str) -> None:
        """Have a queue take what is published under a key."""
        await _call(self._raw.queue_bind(queue, exchange, routing_key=key))

    async def unbind(self, queue: str, exchange: str, key: str) -> None:
        """Have it take that no longer."""
        await _call(self._raw.queue_unbind(queue, exchange, routing_key=key))

    async def close(self) -> None:
        """Let go of it; nothing is raised."""
        if self.open:
            with contextlib.suppress(Gone, Ended):
                await _call(self._raw.close(ConnectionError("closed")))


class Connection:
    """One connection."""

    def __init__(self, raw: aiormq.Connection, abort: Callable[[], None]) -> None:
        self._raw, self._abort = raw, abort

    def when_lost(self, say: Callable[["Connection"], None]) -> None:
        """Call this once when it ends."""
        self._raw.closing.add_done_callback(lambda _: say(self))

    async def channel(self) -> Channel:
        """Open one more channel, whose publications are confirmed."""
        return Channel(await _call(self._raw.channel(on_return_raises=True)))

    async def blocked(self) -> bool:
        """Tell whether the server takes nothing from who publishes, for want of memory or disk."""
        waiting = asyncio.ensure_future(self._raw.ready())
        done, _ = await asyncio.wait({waiting}, timeout=0.001)
        waiting.cancel()
        return not done

    async def close(self, within: float) -> None:
        """Say good-bye, if anybody hears it, and let go of it."""
        closing = asyncio.ensure_future(self._raw.close(ConnectionError("closed")))
        await asyncio.wait({closing}, timeout=within)
        self._abort()
        if not closing.done():
            closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)


async def connect(address: Address, tls: ssl.SSLContext | None) -> Connection:
    """Connect and enter; raises `Gone`, or `Refused`."""
    wires = _Wires(address.tls)
    url = f"{address.url}?heartbeat={HEARTBEAT_SECONDS}&name=shoal"
    raw = aiormq.Connection(url, context=tls, transport_factory=wires)
    try:
        await _call(raw.connect())
    except BaseException as error:
        wires.abort()
        if isinstance(error, Gone) and isinstance(error.__cause__, _UNKNOWN):
            raise Refused(str(error.__cause__)) from error
        raise
    return Connection(raw, wires.abort)


class _Wires(TransportFactory):
    """Opens a connection's socket, and can cut it: a good-bye may never be answered."""

    def __init__(self, tls: bool) -> None:  # noqa: FBT001 - private
        self._factory = TLSTransportFactory() if tls else TCPTransportFactory()
        self._writer: asyncio.StreamWriter | None = None

    async def create(self, url: Any, **kwargs: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, self._writer = await self._factory.create(url, **kwargs)
        return reader, self._writer

    def abort(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()


_UNKNOWN = (amqp.AuthenticationError, amqp.ProbableAuthenticationError, amqp.ConnectionNotAllowed)


async def _call(asked: Awaitable[T]) -> T:
    """Wait for an answer, and say in few words why there is none."""
    try:
        return await asked
    except amqp.DeliveryError as error:
        raise NotTaken(str(error)) from error
    except amqp.ChannelClosed as error:
        raise Ended(_REASONS.get(type(error), 0), str(error)) from error
    except amqp.ChannelInvalidStateError as error:
        raise Ended(0, "the channel is closed") from error
    except (amqp.AMQPError, OSError, EOFError, RuntimeError, ValueError) as error:
        raise Gone(str(error)) from error
    except asyncio.CancelledError as error:  # the client cancels what waits, when a connection ends
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise Gone("the connection ended") from error


def _parcel(raw: Any) -> Parcel:
    properties = raw.header.properties
    headers = dict(properties.headers or {})
    offset = headers.pop("x-stream-offset", -1)
    return Parcel(
        tag=raw.delivery.delivery_tag,
        offset=offset,
        key=raw.routing_key or "",
        id=properties.message_id or "",
        mark=properties.correlation_id or "",
        headers=headers,
        body=raw.body,
    )
