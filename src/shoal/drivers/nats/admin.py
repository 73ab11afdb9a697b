"""Streams and consumers, made by the operator's user."""

import asyncio
from collections.abc import Sequence

import msgspec

from shoal.drivers.base import Consumer, Stream
from shoal.drivers.nats import wire
from shoal.drivers.nats.client import Connection, Incoming
from shoal.drivers.nats.mux import Answered, Mux
from shoal.errors import EngineError, Unavailable

ANSWER_SECONDS = 5.0
_NANOSECONDS = 1_000_000_000
_STREAM_EXISTS = 10058


class NatsAdmin:
    """A `base.BrokerAdmin`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def declare(self, streams: Sequence[Stream], consumers: Sequence[Consumer]) -> None:
        """Create all streams at once, and then all consumers."""
        mux = Mux()
        connection = Connection(self._url, mux)
        await connection.listen(mux.PART, mux.receive)
        await connection.open()
        try:
            async with asyncio.TaskGroup() as group:
                for stream in streams:
                    group.create_task(_declare_stream(connection, mux, stream))
            async with asyncio.TaskGroup() as group:
                for consumer in consumers:
                    group.create_task(_declare_consumer(connection, mux, consumer))
        except* EngineError as errors:
            raise _first(errors) from None
        finally:
            await connection.close()


def stream_settings(stream: Stream) -> dict[str, object]:
    """Describe a stream: on disk, kept for a week whoever has read it (``$JS.API.STREAM.CREATE``)."""
    return {
        "name": stream.name,
        "subjects": [*stream.subjects],
        "storage": "file",
        "retention": "limits",
        "discard": "old",
        "max_age": 7 * 86_400 * _NANOSECONDS,
        "max_bytes": -1,
        "max_consumers": -1,
        "max_msg_size": -1,
        "max_msgs": -1,
        "num_replicas": 1,
        "duplicate_window": 120 * _NANOSECONDS,
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
        "max_ack_pending": 1000,
        "filter_subjects": [*consumer.subjects],
    }


async def _declare_stream(connection: Connection, mux: Mux, stream: Stream) -> None:
    settings = stream_settings(stream)
    fault = await _ask(connection, mux, f"$JS.API.STREAM.CREATE.{stream.name}", settings)
    if fault is not None and fault.err_code == _STREAM_EXISTS:
        fault = await _ask(connection, mux, f"$JS.API.STREAM.UPDATE.{stream.name}", settings)
    _require(fault, f"stream {stream.name}")


async def _declare_consumer(connection: Connection, mux: Mux, consumer: Consumer) -> None:
    request = {"stream_name": consumer.stream, "config": consumer_settings(consumer)}
    subject = f"$JS.API.CONSUMER.DURABLE.CREATE.{consumer.stream}.{consumer.name}"
    _require(await _ask(connection, mux, subject, request), f"consumer {consumer.name} of stream {consumer.stream}")


def _require(fault: wire.Fault | None, what: str) -> None:
    if fault is not None:
        raise EngineError(
            f"NATS refused {what}: {fault.description} ({fault.err_code})",
            hint="a setting that cannot be changed means deleting it first, with what it holds",
        )


async def _ask(connection: Connection, mux: Mux, subject: str, request: object) -> wire.Fault | None:
    """Send a request to JetStream's API; return why it was refused, or nothing."""
    call = _Call(subject)
    token = mux.enter(call)
    try:
        await connection.send(subject, msgspec.json.encode(request), token=f"{token}0")
        while call.answer is None:
            await call.pause(ANSWER_SECONDS, f"NATS did not answer {subject} within {ANSWER_SECONDS:g} s")
    finally:
        mux.leave(token)
    return call.answer.error


def _first(errors: "BaseExceptionGroup[EngineError]") -> EngineError:
    """Return the first error of a group; the others of its kind repeat it."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error if isinstance(error, EngineError) else EngineError(str(error))


class _Call(Answered):
    """One request to JetStream's API."""

    def __init__(self, subject: str) -> None:
        super().__init__()
        self.answer: wire.Answer | None = None
        self._subject = subject

    def receive(self, number: str, message: Incoming) -> None:  # noqa: ARG002 - it asks once
        """Take the answer."""
        if message.headers and message.headers.get(wire.STATUS) == wire.NO_RESPONDERS:
            self.fail(Unavailable("JetStream is off, or starting", hint="enable it, or try again"))
            return
        self.answer = wire.answer(message.data)
        self.wake()

    def asked(self, subject: str) -> str:
        """Compare with the subject of the request."""
        return self._subject if self._subject.lower() == subject else ""
