"""The way of one event, from its announcement to every handler, out of the spans of its trace. Pure."""

from collections.abc import Sequence

import msgspec

from shoal.dashboard.store.reading import Span
from shoal.telemetry import conventions as names


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done with an event; times are milliseconds."""

    service: str
    replica: str
    what: str
    after: float
    """Since the event was announced."""
    ms: float
    waited: float = 0.0
    """Between the announcement and this, as the span says it."""
    attempt: int = 1
    failed: bool = False
    message: str = ""
    span_id: str = ""


def delivered(spans: Sequence[Span], event: str) -> list[Step]:
    """List what was done with the event of that id, the earliest first."""
    own = [span for span in spans if str(span.attributes.get(names.MESSAGING_ID, "")) == event]
    begins = min((span.started for span in own), default=0.0)
    return [_step(span, begins) for span in sorted(own, key=lambda span: span.started)]


def _step(span: Span, begins: float) -> Step:
    told = span.attributes
    return Step(
        service=span.service,
        replica=span.replica,
        what=str(told.get(names.HANDLER) or span.name),
        after=span.started - begins,
        ms=span.ms,
        waited=float(told.get(names.QUEUE) or told.get(names.OUTBOX_WAIT) or 0.0),
        attempt=int(told.get(names.ATTEMPT) or 1),
        failed=span.status == "error",
        message=span.message,
        span_id=span.span_id,
    )
