"""Streams and consumers, made and read by the operator's user."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from shoal.drivers.base import Consumer, Kept, Message, Outcome, Position, Stream
from shoal.drivers.nats import wire
from shoal.drivers.nats.api import Api
from shoal.drivers.nats.client import Connection
from shoal.drivers.nats.mux import Mux
from shoal.drivers.nats.publish import Publisher
from shoal.drivers.nats.reading import Reader
from shoal.errors import EngineError, Unavailable

_NANOSECONDS = 1_000_000_000


class NatsAdmin:
    """A `base.BrokerAdmin`; each method connects for itself. ``?replicas=3`` keeps each stream on so many servers."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._url = urlunsplit(parts._replace(query=""))
        self._replicas = int(dict(parse_qsl(parts.query)).get("replicas", "1"))

    async def declare(self, streams: Sequence[Stream], consumers: Sequence[Consumer]) -> None:
        """Create all streams at once, and then all consumers."""
        async with self._connected() as (connection, mux):
            api = Api(connection, mux)
            try:
                async with asyncio.TaskGroup() as group:
                    for stream in streams:
                        group.create_task(_declare_stream(api, stream, self._replicas))
                async with asyncio.TaskGroup() as group:
                    for consumer in consumers:
                        group.create_task(_declare_consumer(api, consumer))
            except* EngineError as errors:
                raise _first(errors) from None

    async def missing(
        self, streams: Sequence[Stream], consumers: Sequence[Consumer]
    ) -> tuple[Sequence[Stream], Sequence[Consumer]]:
        """List names, which costs the server less than descriptions."""
        async with self._connected() as (connection, mux):
            api = Api(connection, mux)
            known = set(await _names(api, "STREAM.NAMES"))
            found = {
                (stream, name)
                for stream in {consumer.stream for consumer in consumers} & known
                for name in await _names(api, f"CONSUMER.NAMES.{stream}")
            }
        gone = [consumer for consumer in consumers if (consumer.stream, consumer.name) not in found]
        return [stream for stream in streams if stream.name not in known], gone

    async def positions(self) -> Mapping[str, Position]:
        """List the streams, page by page."""
        found: dict[str, Position] = {}
        seen = 0
        async with self._connected() as (connection, mux):
            while True:
                page = await Api(connection, mux).ask("STREAM.LIST", {"offset": seen}, wire.StreamList)
                _require(page.error, "to list the streams")
                some = page.streams or ()
                found |= {s.config.name: s.position for s in some}
                seen += len(some)
                if not some or seen >= page.total:
                    return found

    async def lags(self, stream: str) -> Mapping[str, int]:
        """List the consumers of a stream, page by page."""
        found: dict[str, int] = {}
        seen = 0
        async with self._connected() as (connection, mux):
            while True:
                page = await Api(connection, mux).ask(f"CONSUMER.LIST.{stream}", {"offset": seen}, wire.ConsumerList)
                if page.error is not None and page.error.err_code == wire.STREAM_NOT_FOUND:
                    raise Unavailable(f"there is no stream {stream}", hint="declare it first")
                _require(page.error, f"to list the consumers of stream {stream}")
                some = page.consumers or ()
                found |= {c.name: c.num_pending + c.num_ack_pending for c in some}
                seen += len(some)
                if not some or seen >= page.total:
                    return found

    async def read(self, stream: str, above: int, limit: int) -> Sequence[Kept]:
        """Get messages directly, without a consumer."""
        async with self._connected() as (connection, mux):
            return await Reader(connection, mux).read(stream, above, limit)

    async def publish(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Send all, keeping a window of them unacknowledged."""
        async with self._connected() as (connection, mux):
            return await Publisher(connection, mux).publish(messages)

    async def remove(self, stream: str, sequences: Sequence[int]) -> None:
        """Delete messages one by one, without overwriting what they held."""
        async with self._connected() as (connection, mux):
            api = Api(connection, mux)
            for sequence in sequences:
                request = {"seq": sequence, "no_erase": True}
                answer = await api.ask(f"STREAM.MSG.DELETE.{stream}", request, wire.Answer)
                if answer.error is not None and answer.error.err_code == wire.STREAM_NOT_FOUND:
                    raise Unavailable(f"there is no stream {stream}", hint="declare it first")
                if answer.error is None or answer.error.err_code not in wire.GONE:
                    _require(answer.error, f"to remove message {sequence} of stream {stream}")

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[Connection, Mux]]:
        mux = Mux()
        connection = Connection(self._url, mux)
        await connection.listen(mux.PART, mux.receive)
        await connection.open()
        try:
            yield connection, mux
        finally:
            await connection.close()


async def _names(api: Api, request: str) -> list[str]:
    """List names, page by page; none of a stream that is not there."""
    found: list[str] = []
    while True:
        page = await api.ask(request, {"offset": len(found)}, wire.Names)
        if page.error is not None and page.error.err_code == wire.STREAM_NOT_FOUND:
            return found
        _require(page.error, f"to answer {request}")
        some = page.streams or page.consumers or ()
        found += some
        if not some or len(found) >= page.total:
            return found


def stream_settings(stream: Stream, replicas: int = 1) -> dict[str, object]:
    """Describe a stream: on the disks of so many servers, kept whoever has read it (``$JS.API.STREAM.CREATE``)."""
    return {
        "name": stream.name,
        "subjects": [*stream.subjects],
        "storage": "file",
        "retention": "limits",
        "discard": "old",
        "max_age": round(stream.age * _NANOSECONDS),
        "max_bytes": -1,
        "max_consumers": -1,
        "max_msg_size": stream.largest or -1,
        "max_msgs": -1,
        "num_replicas": replicas,
        "duplicate_window": 120 * _NANOSECONDS,
        "allow_direct": True,
    }


def consumer_settings(consumer: Consumer) -> dict[str, object]:
    """Describe a durable consumer that never gives up by itself: attempts are counted by its members."""
    return {
        "durable_name": consumer.name,
        "name": consumer.name,
        "deliver_policy": "all",
        "replay_policy": "instant",
        "ack_policy": "explicit",
        "ack_wait": round(consumer.ack_wait * _NANOSECONDS),
        "max_deliver": -1,
        "max_ack_pending": consumer.max_in_hand,
        "filter_subjects": [*consumer.subjects],
    }


async def _declare_stream(api: Api, stream: Stream, replicas: int) -> None:
    settings = stream_settings(stream, replicas)
    fault = (await api.ask(f"STREAM.CREATE.{stream.name}", settings, wire.Answer)).error
    if fault is not None and fault.err_code == wire.STREAM_EXISTS:
        fault = (await api.ask(f"STREAM.UPDATE.{stream.name}", settings, wire.Answer)).error
    _require(fault, f"stream {stream.name}")


async def _declare_consumer(api: Api, consumer: Consumer) -> None:
    request = {"stream_name": consumer.stream, "config": consumer_settings(consumer)}
    subject = f"CONSUMER.DURABLE.CREATE.{consumer.stream}.{consumer.name}"
    fault = (await api.ask(subject, request, wire.Answer)).error
    _require(fault, f"consumer {consumer.name} of stream {consumer.stream}")


def _require(fault: wire.Fault | None, what: str) -> None:
    if fault is not None:
        raise EngineError(
            f"NATS refused {what}: {fault.description} ({fault.err_code})",
            hint="a setting that cannot be changed means deleting it first, with what it holds",
        )


def _first(errors: "BaseExceptionGroup[EngineError]") -> EngineError:
    """Return the first error of a group; the others of its kind repeat it."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error if isinstance(error, EngineError) else EngineError(str(error))
