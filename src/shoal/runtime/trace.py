"""W3C Trace Context (level 1): one trace through HTTP, outbox, broker and consumers.

This is the seam for telemetry: everything that begins work makes a `Context` here, and everything that logs, calls or
publishes reads `current`.
"""

import re
from collections.abc import Callable
from contextvars import ContextVar
from random import getrandbits

import msgspec

from shoal.runtime.deadline import Budget
from shoal.telemetry.spans import Span

HEADER = "traceparent"

STATE = "tracestate"
"""What tracing systems told each other on the way; nothing of ours, and handed on as it came."""

TRACE_ID = "x-trace-id"
"""The trace's identifier alone: what answers say, and what the proxy between services puts into its log."""

_NEVER_ZERO = 1 << 64 | 1
"""The last bits of a trace's and a span's identifier, which must not be all zero."""

_PATTERN = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_LENGTH = 55
"""Characters of version 00; only later versions may be longer."""

_KEY = r"(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})"
_MEMBER = re.compile(_KEY + r"=[ -+\--<>-~]{0,255}[!-+\--<>-~]")
"""One member of a ``tracestate`` (section 3.3.1.3)."""
_MEMBERS, _LONGEST, _LONG = 32, 512, 128
"""Members at most, characters that are handed on, and those of a member that goes first where they are too many."""


class Trace(msgspec.Struct, frozen=True, gc=False):
    """Where in which trace the present work stands."""

    trace_id: str
    span_id: str
    parent_id: str = ""
    flags: str = "01"
    state: str = ""
    """``tracestate``, as it is handed on."""

    @property
    def sampled(self) -> bool | None:
        """What whoever began the trace decided about recording it; None when it was begun here."""
        return bool(int(self.flags, 16) & 1) if self.parent_id else None

    def header(self) -> str:
        """Spell it as ``traceparent`` for whoever continues it."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"

    def headers(self) -> dict[str, str]:
        """Spell it as headers of a call."""
        found = {HEADER: self.header(), TRACE_ID: self.trace_id}
        return {**found, STATE: self.state} if self.state else found


class Context(msgspec.Struct, frozen=True):
    """What travels with the present work."""

    trace: Trace
    budget: Budget
    authorization: str = ""
    """The caller's ``Authorization`` header, passed on to operations that need a principal."""
    repeats: Callable[[str], str] | None = None
    """Gives the call of an operation its ``Idempotency-Key``, where the present work may be repeated as a whole."""
    span: Span | None = None
    """The span of the present work, where it is recorded; `trace` says the same place."""


current: ContextVar[Context | None] = ContextVar("shoal_context", default=None)
"""The context of the work at hand; None outside of any."""


def begin() -> Trace:
    """Start a trace of our own."""
    digits = (getrandbits(192) | _NEVER_ZERO).to_bytes(24, "big").hex()
    return Trace(digits[:32], digits[32:])


def child(trace: Trace) -> Trace:
    """Go one step down within a trace."""
    return Trace(
        trace.trace_id, (getrandbits(64) | 1).to_bytes(8, "big").hex(), trace.span_id, trace.flags, trace.state
    )


def resume(header: str | None, state: str | None = None) -> Trace:
    """Continue the trace of a ``traceparent``; begin one where it is missing or malformed, as the standard asks.

    `state` is its ``tracestate``; several headers are joined by commas.
    """
    if header is None:
        return begin()
    match = _PATTERN.fullmatch(header)
    if match is None or match[1] == "0" * 32 or match[2] == "0" * 16:
        return begin()
    if header.startswith("ff") or (header.startswith("00") and len(header) > _LENGTH):
        return begin()
    return Trace(match[1], f"{getrandbits(64) | 1:016x}", match[2], match[3], _kept(state) if state else "")


def _kept(state: str) -> str:
    """Take what may be handed on: nothing of what is malformed, and of too much the long ones go first, then the last.

    Source: W3C Trace Context, sections 3.3.1.1, 3.3.1.5 and 3.5.
    """
    members = [member for part in state.split(",") if (member := part.strip(" \t"))]
    keys = {member.partition("=")[0] for member in members}
    if len(members) > _MEMBERS or len(keys) < len(members) or not all(map(_MEMBER.fullmatch, members)):
        return ""
    while len(written := ",".join(members)) > _LONGEST:
        members.remove(next((one for one in reversed(members) if len(one) > _LONG), members[-1]))
    return written
