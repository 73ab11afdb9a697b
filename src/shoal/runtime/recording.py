"""Where spans begin and end: the runtime's side of `shoal.telemetry`.

Everything here does nothing, for some 50 ns, where nothing is recorded: no exporter is configured, or the work at hand
belongs to nobody's trace.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from time import time_ns
from types import TracebackType

import msgspec

from shoal.errors import Conflict
from shoal.runtime.deadline import Budget
from shoal.runtime.trace import Context, Trace, begin, child, current, resume
from shoal.telemetry.masking import beginning
from shoal.telemetry.recorder import Recorder
from shoal.telemetry.spans import INTERNAL, UNSET, Span

recording: ContextVar[Recorder | None] = ContextVar("shoal_recording", default=None)
"""What the present service records with; a process may hold several services."""


def opened(trace: Trace, kind: int, name: str = "", fixed: bytes = b"") -> tuple[Trace, Span | None]:
    """Begin the first span of a piece of work, and return its place in the trace as others are told it from now on."""
    recorder = recording.get()
    if recorder is None or not recorder.tracing:
        return trace, None
    sampler = recorder.sampler
    sampled = (sampler.willing and trace.flags == "01") or sampler.samples(trace.trace_id, trace.sampled)
    if sampled:
        if trace.flags != "01":
            trace = msgspec.structs.replace(trace, flags="01")
        return trace, Span(
            trace.trace_id, trace.span_id, trace.parent_id, name, kind, time_ns(), fixed, state=trace.state
        )
    trace = msgspec.structs.replace(trace, flags="00")
    span = Span(trace.trace_id, trace.span_id, trace.parent_id, name, kind, time_ns(), fixed, state=trace.state)
    span.part = part = recorder.unsampled()
    part.root = span
    return trace, span


def closed(span: Span | None, error: BaseException | None = None) -> None:
    """End a span."""
    if span is None:
        return
    recorder = recording.get()
    if recorder is not None:
        if error is not None:
            span.fail(error)
        recorder.close(span)


def leaf(
    name: str,
    kind: int,
    began: int,
    fixed: bytes = b"",
    attributes: dict[str, object] | None = None,
    error: BaseException | None = None,
    ended: int = 0,
) -> None:
    """Record a span of the present work that ended at `ended`, or ends now (nanoseconds)."""
    context, recorder = current.get(), recording.get()
    if context is None or context.span is None or recorder is None:
        return
    trace = child(context.trace)
    span = Span(
        trace.trace_id, trace.span_id, trace.parent_id, name, kind, began, fixed, attributes, ended, state=trace.state
    )
    span.part = context.span.part
    if error is not None:
        span.fail(error, stack=False)
        if isinstance(error, Conflict):  # an answer, as a server's 4xx is: who asked decides whether it is a failure
            span.status = UNSET
    recorder.close(span)


def apart(
    trace: Trace | None,
    name: str,
    kind: int,
    began: int,
    fixed: bytes = b"",
    attributes: dict[str, object] | None = None,
    ended: int = 0,
    links: Iterable[str] = (),
) -> None:
    """Record a span of work that is over and belongs to no present one, at a place or in a trace of its own.

    `links` are the places of what it worked on, as `place` told them.
    """
    recorder = recording.get()
    if recorder is None or not recorder.tracing:
        return
    trace = trace or begin()
    if recorder.sampler.samples(trace.trace_id, trace.sampled):
        span = Span(
            trace.trace_id,
            trace.span_id,
            trace.parent_id,
            name,
            kind,
            began,
            fixed,
            attributes,
            ended,
            state=trace.state,
        )
        _linked(span, links)
        recorder.close(span)


def begun() -> Trace:
    """Begin a trace for `apart`, and decide at once whether it is recorded, for whoever hears of it meanwhile."""
    trace, recorder = begin(), recording.get()
    if recorder is None or not recorder.tracing or recorder.sampler.samples(trace.trace_id, None):
        return trace
    return msgspec.structs.replace(trace, flags="00")


def place() -> str:
    """Spell the place of the present work for whoever goes on with it later; empty where nothing is recorded."""
    context = current.get()
    return "" if context is None or context.span is None else context.trace.header()


def _linked(span: Span, places: Iterable[str]) -> None:
    """Name each trace once."""
    for trace_id, span_id in {trace.trace_id: trace.parent_id for trace in map(resume, filter(None, places))}.items():
        if span_id:
            span.link(trace_id, span_id)


@contextmanager
def batch(name: str, fixed: bytes = b"", links: Iterable[str] = ()) -> Iterator[Span | None]:
    """Record work on what others left, which begins a trace and links to theirs; its value is the span, or None."""
    trace, span = opened(begin(), INTERNAL, name, fixed)
    if span is None:
        yield None
        return
    _linked(span, links)
    outer = current.get()
    current.set(Context(trace, Budget(float("inf")), span=span))
    try:
        yield span
    except BaseException as error:
        _failed(span, error)
        raise
    finally:
        current.set(outer)
        closed(span)


def records() -> bool:
    """Tell whether anything is recorded here."""
    recorder = recording.get()
    return recorder is not None and recorder.tracing


def within(
    name: str, kind: int = INTERNAL, fixed: bytes = b"", attributes: Mapping[str, object] | None = None
) -> "Block":
    """Record what is done in a ``with`` block as a span of the present work."""
    return Block(name, kind, fixed, attributes)


class Block:
    """A block whose work is a span; its value is the span, or None where nothing is recorded."""

    __slots__ = ("_attributes", "_fixed", "_kind", "_name", "_outer", "_span")

    def __init__(self, name: str, kind: int, fixed: bytes, attributes: Mapping[str, object] | None) -> None:
        self._name, self._kind, self._fixed, self._attributes = name, kind, fixed, attributes
        self._outer: Context | None = None
        self._span: Span | None = None

    def __enter__(self) -> Span | None:
        outer = current.get()
        if outer is None or outer.span is None:
            return None
        trace = child(outer.trace)
        span = Span(
            trace.trace_id,
            trace.span_id,
            trace.parent_id,
            self._name,
            self._kind,
            time_ns(),
            self._fixed,
            state=trace.state,
        )
        if self._attributes:
            span.attributes = {**self._attributes}
        span.part = outer.span.part
        self._outer, self._span = outer, span
        current.set(Context(trace, outer.budget, outer.authorization, outer.repeats, span))
        return span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        span = self._span
        if span is None:
            return
        current.set(self._outer)
        if error is not None:
            _failed(span, error)
        closed(span)


def _failed(span: Span, error: BaseException) -> None:
    """Say that something failed within a larger piece of work, which tells the stack where it ends."""
    span.fail(error, stack=False)
    span.message = beginning(str(error), 500)


def present() -> Span | None:
    """Return the span of the present work, where it is recorded."""
    context = current.get()
    return None if context is None else context.span
