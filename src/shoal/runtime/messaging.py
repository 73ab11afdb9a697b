"""Events on their way, as spans (semantic conventions for messaging): announced, published, handled."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from time import time_ns

import msgspec

from shoal.drivers.base import Message, Outcome, Pending, Published
from shoal.runtime import binary
from shoal.runtime.recording import apart, present, records
from shoal.runtime.trace import Context, Trace, child, resume
from shoal.telemetry import conventions as names
from shoal.telemetry.spans import INTERNAL, PRODUCER, Span, fixed


class _Attributes(msgspec.Struct, frozen=True):
    """What the relay reads of an event: no more than it tells."""

    type: str = ""
    time: datetime | None = None
    traceparent: str | None = None


_decode = msgspec.json.Decoder(_Attributes).decode


def outgoing(context: Context | None) -> Trace | None:
    """Choose the place of an event that is announced: a span of its own where it is recorded."""
    if context is None:
        return None
    return context.trace if context.span is None else child(context.trace)


def announced(trace: Trace | None, event: str, system: str, message: Message, began: int) -> Span | None:
    """Make the span of an event that is announced, at the place that it was told; it is recorded after the commit."""
    work = present()
    if trace is None or work is None:
        return None
    attributes: dict[str, object] = {names.MESSAGING_ID: message.id}
    if message.key:
        attributes[names.MESSAGING_CONVERSATION] = message.key
    common = _common(event, system, "send")
    span = Span(
        trace.trace_id,
        trace.span_id,
        trace.parent_id,
        f"send {event}",
        PRODUCER,
        began,
        common,
        attributes,
        state=trace.state,
    )
    span.part, span.ended = work.part, time_ns()
    return span


def published(rows: Sequence[Pending], outcomes: Sequence[Outcome], system: str, began: int) -> None:
    """Record that events left the outbox, and how long each had waited in it."""
    if not records():
        return
    ended = time_ns()
    for row, outcome in zip(rows, outcomes, strict=True):
        if isinstance(outcome, Published):
            _published(row.message, system, began, ended)


def _published(message: Message, system: str, began: int, ended: int) -> None:
    try:
        said = (
            msgspec.convert(binary.from_headers(message.headers), _Attributes, strict=False)
            if binary.is_binary(message.headers)
            else _decode(message.body)
        )
    except (ValueError, RecursionError):
        return
    if not said.traceparent:
        return
    attributes: dict[str, object] = {names.MESSAGING_ID: message.id}
    if said.time is not None:
        attributes[names.OUTBOX_WAIT] = max(0.0, round(began / 1e6 - said.time.timestamp() * 1e3, 3))
    common = _common(said.type, system, "publish")
    apart(resume(said.traceparent), f"publish {said.type}", INTERNAL, began, common, attributes, ended)


@lru_cache(4096)
def _common(event: str, system: str, operation: str) -> bytes:
    return fixed(
        {
            names.MESSAGING_SYSTEM: system,
            names.MESSAGING_DESTINATION: event,
            names.MESSAGING_OPERATION: operation,
            names.MESSAGING_TYPE: "send",
        }
    )
