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

TRACE_ID = "x-trace-id"
"""The trace's identifier alone: what answers say, and what the proxy between services puts into its log."""

_NEVER_ZERO = 1 << 64 | 1
"""The last bits of a trace's and a span's identifier, which must not be all zero."""

_PATTERN = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_LENGTH = 55
"""Characters of version 00; only later versions may be longer."""


class Trace(msgspec.Struct, frozen=True, gc=False):
    """Where in which trace the present work stands."""

    trace_id: str
    span_id: str
    parent_id: str = ""
    flags: str = "01"

    @property
    def sampled(self) -> bool | None:
        """What whoever began the trace decided about recording it; None when it was begun here."""
        return bool(int(self.flags, 16) & 1) if self.parent_id else None

    def header(self) -> str:
        """Spell it as ``traceparent`` for whoever continues it."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


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
    return Trace(trace.trace_id, (getrandbits(64) | 1).to_bytes(8, "big").hex(), trace.span_id, trace.flags)


def resume(header: str | None) -> Trace:
    """Continue the trace of a ``traceparent``; begin one where it is missing or malformed, as the standard asks."""
    if header is None:
        return begin()
    match = _PATTERN.fullmatch(header)
    if match is None or match[1] == "0" * 32 or match[2] == "0" * 16:
        return begin()
    if header.startswith("ff") or (header.startswith("00") and len(header) > _LENGTH):
        return begin()
    return Trace(match[1], f"{getrandbits(64) | 1:016x}", match[2], match[3])
