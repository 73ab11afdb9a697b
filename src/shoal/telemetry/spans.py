"""Spans: what the hot path notes, and how it is written (opentelemetry/proto/trace/v1/trace.proto)."""

import traceback
from collections.abc import Mapping
from time import time_ns

import msgspec

from shoal.telemetry import conventions as names
from shoal.telemetry.masking import Look, end
from shoal.telemetry.wire import Hide, attributes, block, fixed64, text, varint

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5

UNSET, OK, ERROR = 0, 1, 2

MOST_NOTES = 128
"""Events and links of one span."""

_STACK = 12_000
"""Characters of a stack that are told: its end, which says where it failed."""

_HEADS_KEPT = 4096
_heads: dict[tuple[str, int], bytes] = {}


class Note(msgspec.Struct, frozen=True, gc=False):
    """What happened at one moment within a span: an event."""

    name: str
    at: int
    attributes: Mapping[str, object]


class Link(msgspec.Struct, frozen=True, gc=False):
    """Another span that this one has to do with."""

    trace_id: str
    span_id: str


class LocalPart:
    """The spans of an unsampled trace within this service, until it is known whether they are worth keeping."""

    __slots__ = ("kept", "root", "waiting")

    def __init__(self) -> None:
        self.root: Span | None = None
        self.waiting: list[Span] = []
        self.kept: bool | None = None
        """Whether they were; None as long as nobody knows."""


class Span(msgspec.Struct, eq=False, gc=False):
    """One piece of work; `Recorder.close` ends it. Times are nanoseconds since 1970.

    Thousands may wait to be sent: the collector of garbage does not look at them. A circle through `part` is cut when
    the local part ends.
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: int
    began: int
    fixed: bytes = b""
    """Attributes that were written once: what `fixed` returned."""
    attributes: dict[str, object] | None = None
    ended: int = 0
    status: int = UNSET
    message: str = ""
    notes: list[Note] | None = None
    links: list[Link] | None = None
    part: LocalPart | None = None
    """Where it waits, in a trace that is not sampled, until the local part of it has ended."""
    scope: bytes = b""
    """Who made it, where it was not us."""
    state: str = ""
    """``tracestate``, as it came."""

    def set(self, key: str, value: object) -> None:
        """Add an attribute, or replace it."""
        if self.attributes is None:
            self.attributes = {}
        self.attributes[key] = value

    def note(self, name: str, found: Mapping[str, object] | None = None, at: int = 0) -> None:
        """Add an event."""
        if self.notes is None:
            self.notes = []
        if len(self.notes) < MOST_NOTES:
            self.notes.append(Note(name, at or time_ns(), found or {}))

    def link(self, trace_id: str, span_id: str) -> None:
        """Name another span that it has to do with."""
        if self.links is None:
            self.links = []
        if len(self.links) < MOST_NOTES:
            self.links.append(Link(trace_id, span_id))

    def fail(self, error: BaseException, *, stack: bool = True) -> None:
        """Say that it failed; with the error's text and stack when nobody expected it."""
        kind = type_of(error)
        self.status = ERROR
        self.set(names.ERROR_TYPE, kind)
        if stack:
            self.note("exception", told(error))


def type_of(error: BaseException) -> str:
    """Name the type of an error, with its module unless it is Python's."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def told(error: BaseException) -> dict[str, object]:
    """Tell an error as the attributes of an event ``exception``."""
    try:
        message, stack = str(error), "".join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001 - an author's error may fail to spell itself
        message = stack = ""
    return {
        names.EXCEPTION_TYPE: type_of(error),
        names.EXCEPTION_MESSAGE: message,
        names.EXCEPTION_STACKTRACE: end(stack, _STACK),
    }


class Fixed(bytes):
    """Attributes as they were written; `pairs` is what they say, for when something in it must be hidden."""

    pairs: Mapping[str, object]


def fixed(pairs: Mapping[str, object]) -> Fixed:
    """Write attributes that many spans share, once; empty ones are left out."""
    kept = {key: value for key, value in pairs.items() if value not in ("", None)}
    written = Fixed(attributes(b"\x4a", kept))
    written.pairs = kept
    return written


def encode(span: Span, hide: Hide | None = None, look: Look | None = None) -> bytes:
    """Write a span as a field of ``ScopeSpans``; texts go through `hide` where there is reason to.

    What somebody must still look at is handed to `look`.
    """
    parent = span.parent_id
    name = span.name if hide is None else hide("", span.name)
    head = _heads.get((name, span.kind)) or _head(name, span.kind)
    said = attributes(b"\x4a", span.attributes, hide) if span.attributes else b""
    body = b"\x0a\x10%b\x12\x08%b%b%b\x39%b\x41%b%b%b" % (
        bytes.fromhex(span.trace_id),
        bytes.fromhex(span.span_id),
        b"\x22\x08" + bytes.fromhex(parent) if parent else b"",
        head,
        fixed64(span.began),
        fixed64(span.ended),
        span.fixed if hide is None else _shared(span.fixed, hide),
        said,
    )
    rest = _rest(span, hide) if span.notes or span.links or span.status or span.state else b""
    if look is not None:
        look.parts.append(said + rest)
        for part in (head, span.fixed):
            if part not in look.harmless:
                look.again(part)
    body += rest
    return b"\x12" + varint(len(body)) + body


def _shared(written: bytes, hide: Hide) -> bytes:
    if not isinstance(written, Fixed):
        return written
    return attributes(b"\x4a", written.pairs, hide)


def _head(name: str, kind: int) -> bytes:
    head = text(5, name) + b"\x30" + varint(kind)
    if len(_heads) >= _HEADS_KEPT:
        _heads.clear()
    _heads[name, kind] = head
    return head


def _rest(span: Span, hide: Hide | None) -> bytes:
    parts = [
        block(11, b"\x09" + fixed64(note.at) + text(2, name) + attributes(b"\x1a", note.attributes, hide))
        for note in span.notes or ()
        for name in (note.name if hide is None else hide("", note.name),)
    ]
    parts += [
        block(13, b"\x0a\x10" + bytes.fromhex(link.trace_id) + b"\x12\x08" + bytes.fromhex(link.span_id))
        for link in span.links or ()
    ]
    if span.state:
        parts.append(text(3, span.state if hide is None else hide("", span.state)))
    if span.status:
        message = span.message if hide is None else hide("", span.message)
        parts.append(block(15, text(2, message) + b"\x18" + varint(span.status)))
    return b"".join(parts)
