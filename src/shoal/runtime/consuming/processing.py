"""The handling of events as spans: each is a child of the one that announced the event.

A span ends with the commit. When several handlers share a transaction and it fails, those at fault nowhere are run
again, and their spans say that they were rolled back.
"""

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from shoal.runtime.consuming.desk import Desk, Subscriber
from shoal.runtime.consuming.item import Item
from shoal.runtime.recording import closed, opened
from shoal.runtime.trace import Trace, child, resume
from shoal.telemetry import conventions as names
from shoal.telemetry.spans import CONSUMER, Span, fixed

ROLLED_BACK = "rolled back"
"""Outcome of a handler that was run in vain, because of others."""


class Process(msgspec.Struct, frozen=True):
    """One call of a handler, under way."""

    trace: Trace
    span: Span | None

    def link(self, items: Sequence[Item]) -> None:
        """Name the other events that the handler was given at the same time."""
        if self.span is not None and items:
            self.span.set(names.MESSAGING_BATCH, len(items) + 1)
            for item in items:
                trace = trace_of(item)
                if trace.parent_id:
                    self.span.link(trace.trace_id, trace.parent_id)


def begun(desk: Desk, item: Item, subscriber: Subscriber) -> Process:
    """Begin to handle an event; every attempt has a place of its own in the trace."""
    trace = trace_of(item)
    if item.spanned and trace.parent_id:
        trace = msgspec.structs.replace(child(trace), parent_id=trace.parent_id)
    envelope = item.envelope
    event = envelope.type if envelope is not None else ""
    trace, span = opened(trace, CONSUMER, f"process {event}", _common(desk, event, subscriber.name))
    if span is not None and envelope is not None:
        item.spanned = True
        span.attributes = {names.MESSAGING_ID: envelope.id, names.ATTEMPT: item.attempts.count + 1}
        if item.mark is not None:
            waited = desk.clock.now() - item.mark.at
            span.attributes[names.QUEUE] = max(0.0, round(waited.total_seconds() * 1e3, 3))
        if isinstance(envelope.subject, str):
            span.attributes[names.MESSAGING_CONVERSATION] = envelope.subject
    return Process(trace, span)


def ended(spans: Sequence[Span], culprit: Span | None = None, error: BaseException | None = None) -> None:
    """End the spans of one transaction: it has committed, or failed with `error` of `culprit`, or of all of them."""
    for span in spans:
        if error is None:
            closed(span)
        elif culprit is span or (culprit is None and len(spans) == 1):
            closed(span, error)
        else:
            span.set(names.OUTCOME, ROLLED_BACK)
            closed(span)


def trace_of(item: Item) -> Trace:
    """Continue the trace of an event, once: every attempt and what is said of it belong together."""
    if item.trace is None:
        header, state = (item.envelope.traceparent, item.envelope.tracestate) if item.envelope else (None, None)
        item.trace = resume(header if isinstance(header, str) else None, state if isinstance(state, str) else None)
    return item.trace


def _common(desk: Desk, event: str, handler: str) -> bytes:
    return _written(desk.announcer.broker, desk.service, event, handler)


@lru_cache(4096)
def _written(system: str, service: str, event: str, handler: str) -> bytes:
    return fixed(
        {
            names.MESSAGING_SYSTEM: system,
            names.MESSAGING_DESTINATION: event,
            names.MESSAGING_OPERATION: "process",
            names.MESSAGING_TYPE: "process",
            names.MESSAGING_GROUP: service,
            names.HANDLER: handler,
        }
    )
