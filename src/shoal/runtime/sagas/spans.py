"""A saga as spans: the whole of it, and each attempt of a step beneath.

A saga outlives processes, so nobody holds its span open. Its place in the trace follows from its name; whoever ends
the saga records the span, and steps know where to hang before it exists.
"""

from datetime import datetime
from hashlib import blake2b

from shoal.runtime.recording import apart, opened, records
from shoal.runtime.sagas.instances import ENDED, Instance
from shoal.runtime.trace import Trace, resume
from shoal.telemetry import conventions as names
from shoal.telemetry.spans import INTERNAL, Span


def kept(trace: Trace) -> str:
    """Spell the place where a saga begins, as it keeps it: ``traceparent`` and, if there is one, ``tracestate``."""
    return f"{trace.header()} {trace.state}".rstrip()


def whole(saga: Instance) -> Trace:
    """Return the place of a saga in the trace of the work that began it."""
    began = _beginning(saga)
    own = blake2b(saga.id.encode(), digest_size=8).hexdigest()
    return Trace(began.trace_id, own, began.parent_id, began.flags, began.state)


def stepping(saga: Instance) -> tuple[Trace, Span | None]:
    """Begin the span of one attempt of a step."""
    beneath = _beginning(saga)
    if not records():
        return beneath, None
    above = whole(saga).span_id if saga.trace else ""
    trace = Trace(beneath.trace_id, beneath.span_id, above, beneath.flags, beneath.state)
    act = "step" if saga.direction == "forward" else "compensate"
    trace, span = opened(trace, INTERNAL, f"{act} {saga.step}")
    if span is not None:
        span.attributes = {
            names.SAGA_NAME: saga.saga,
            names.SAGA_ID: saga.id,
            names.SAGA_STEP: saga.step,
            names.ATTEMPT: saga.tries + 1,
        }
    return trace, span


def over(saga: Instance, now: datetime) -> None:
    """Record the whole of a saga that has ended."""
    if saga.status in ENDED and saga.trace and records():
        attributes: dict[str, object] = {
            names.SAGA_NAME: saga.saga,
            names.SAGA_ID: saga.id,
            names.OUTCOME: saga.status,
        }
        began, ended = _nanoseconds(saga.started), _nanoseconds(now)
        apart(whole(saga), f"saga {saga.saga}", INTERNAL, began, b"", attributes, max(began, ended))


def _beginning(saga: Instance) -> Trace:
    header, _, state = saga.trace.partition(" ")
    return resume(header or None, state)


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1e6) * 1000
