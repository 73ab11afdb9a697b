"""Our spans as those of OpenTelemetry's API, and the other way round. This is the only file that imports it."""

from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar, Token
from math import inf
from time import time_ns

from opentelemetry import trace as api
from opentelemetry.context import Context as _Values
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
)
from opentelemetry.util._decorator import _agnosticcontextmanager  # as the official SDK does
from opentelemetry.util.types import Attributes, AttributeValue

from shoal.runtime.deadline import Budget
from shoal.runtime.recording import opened, recording
from shoal.runtime.trace import Context, Trace, begin, child, current
from shoal.telemetry.masking import HIDDEN, is_secret
from shoal.telemetry.resource import scope
from shoal.telemetry.spans import ERROR, OK, Span, told

Values = _Values
"""The API's context: whatever libraries keep with the present work."""

_USES = ("record_exception", "set_status_on_exception", "end_on_exit")
"""What the API's `use_span` takes besides the span, in the order of `start_as_current_span`."""


class JoinedSpan(api.Span):
    """One of our spans, as the API shows it."""

    def __init__(self, place: Trace, span: Span, *, own: bool) -> None:
        self.place, self.span = place, span
        self._own = own
        """Whether it was begun here: others are not for users of the API to end."""

    def end(self, end_time: int | None = None) -> None:
        """End it; a second time does nothing."""
        recorder = recording.get()
        if self._own and not self.span.ended:
            self.span.ended = end_time or time_ns()
            if recorder is not None:
                recorder.close(self.span)

    def get_span_context(self) -> SpanContext:
        """Say where it stands in which trace."""
        return _place(self.place)

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Add attributes."""
        for key, value in attributes.items():
            self.set_attribute(key, value)

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Add an attribute."""
        if not self.span.ended:
            self.span.set(key, HIDDEN if is_secret(key) else value)

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Note that something happened."""
        if not self.span.ended:
            self.span.note(name, _shown(attributes), timestamp or 0)

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:  # noqa: ARG002 - links have none here
        """Name another span."""
        if not self.span.ended and context.is_valid:
            self.span.link(f"{context.trace_id:032x}", f"{context.span_id:016x}")

    def update_name(self, name: str) -> None:
        """Name it anew; those of requests and events keep the names that their operations have."""
        if self._own:
            self.span.name = name

    def is_recording(self) -> bool:
        """Tell whether it has not ended."""
        return not self.span.ended

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Say what became of it; that all is well is the last word (OpenTelemetry specification, "Set Status")."""
        code = status if isinstance(status, StatusCode) else status.status_code
        text = description if isinstance(status, StatusCode) else status.description
        if self.span.ended or self.span.status == OK or code is StatusCode.UNSET:
            return
        self.span.status = code.value
        self.span.message = (text or "") if code.value == ERROR else ""

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: ARG002, FBT001, FBT002 - the API's own
    ) -> None:
        """Note an exception."""
        if not self.span.ended:
            self.span.note("exception", {**told(exception), **_shown(attributes)}, timestamp or 0)


class JoinedTracer(api.Tracer):
    """Begins spans for one library."""

    def __init__(self, made_by: bytes) -> None:
        self._scope = made_by

    def start_span(
        self,
        name: str,
        context: Values | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        *_: object,
        **__: object,
    ) -> api.Span:
        """Begin a span beneath the one of `context`, or of the present work; elsewhere it begins a trace."""
        parent = api.get_current_span(context)
        place, span = _begun(parent, name, kind.value + 1)
        if span is None:
            return NonRecordingSpan(_place(place))
        if (recorder := recording.get()) is not None:
            recorder.spans.joined = True
        span.scope, span.began = self._scope, start_time or span.began
        joined = JoinedSpan(place, span, own=True)
        joined.set_attributes(attributes or {})
        for link in links or ():
            joined.add_link(link.context)
        return joined

    @_agnosticcontextmanager
    def start_as_current_span(
        self,
        name: str,
        context: Values | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        *used: bool,
        **named: bool,
    ) -> Iterator[api.Span]:
        """Begin a span, and make it that of the present work until the block ends."""
        how = {"end_on_exit": True, **dict(zip(_USES, used, strict=False)), **named}
        with api.use_span(self.start_span(name, context, kind, attributes, links, start_time), **how) as span:
            yield span


class TracerProvider(api.TracerProvider):
    """Gives libraries their tracers."""

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,  # noqa: ARG002 - the API's own
        attributes: Attributes = None,  # noqa: ARG002 - likewise
    ) -> api.Tracer:
        """Make a tracer whose spans are told under the library's name."""
        return JoinedTracer(scope(instrumenting_module_name, instrumenting_library_version or ""))


class State:
    """What is attached, and where our own work stood then."""

    __slots__ = ("after", "before", "values")

    def __init__(self, values: Values, before: Context | None, after: Context | None) -> None:
        self.values, self.before, self.after = values, before, after


class Present:
    """What the API takes for the present context; our own work, whenever it has moved on since, comes first."""

    def __init__(self) -> None:
        self._state: ContextVar[State | None] = ContextVar("shoal_opentelemetry", default=None)

    def attach(self, context: Values) -> Token[State | None]:
        """Make a context the present one; work that begins meanwhile is beneath its span where that is ours."""
        before = current.get()
        joined = api.get_current_span(context)
        if isinstance(joined, JoinedSpan) and (before is None or before.span is not joined.span):
            current.set(_beneath(before, joined))
        return self._state.set(State(context, before, current.get()))

    def get_current(self) -> Values:
        """Return the present context, whose span is that of the present work."""
        state, ours = self._state.get(), current.get()
        values = Values() if state is None else state.values
        if ours is None or (state is not None and state.after is ours):
            return values
        if ours.span is None:
            return api.set_span_in_context(NonRecordingSpan(_place(ours.trace)), values)
        return api.set_span_in_context(JoinedSpan(ours.trace, ours.span, own=False), values)

    def detach(self, token: Token[State | None]) -> None:
        """Return to what was present before `attach`."""
        state = self._state.get()
        self._state.reset(token)
        if state is not None and current.get() is state.after:
            current.set(state.before)


def _begun(parent: api.Span, name: str, kind: int) -> tuple[Trace, Span | None]:
    """Begin a span beneath another: one of ours, or one that somebody else has told us of."""
    if isinstance(parent, JoinedSpan):
        place = child(parent.place)
        span = Span(place.trace_id, place.span_id, place.parent_id, name, kind, time_ns(), state=place.state)
        span.part = parent.span.part
        return place, span
    far = parent.get_span_context()
    if not far.is_valid:
        return opened(begin(), kind, name)
    flags = "01" if far.trace_flags & TraceFlags.SAMPLED else "00"
    above = Trace(f"{far.trace_id:032x}", f"{far.span_id:016x}", "", flags, far.trace_state.to_header())
    return opened(child(above), kind, name)


def _beneath(before: Context | None, joined: JoinedSpan) -> Context:
    if before is None:
        return Context(joined.place, Budget(inf), span=joined.span)
    return Context(joined.place, before.budget, before.authorization, before.repeats, joined.span)


def _place(place: Trace) -> SpanContext:
    flags = TraceFlags(int(place.flags, 16) & TraceFlags.SAMPLED)
    state = TraceState.from_header([place.state]) if place.state else None
    return SpanContext(int(place.trace_id, 16), int(place.span_id, 16), False, flags, state)  # noqa: FBT003 - not remote


def _shown(attributes: Attributes) -> dict[str, object]:
    return {key: HIDDEN if is_secret(key) else value for key, value in (attributes or {}).items()}
