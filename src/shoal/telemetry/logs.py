"""Log records, and how they are written (opentelemetry/proto/logs/v1/logs.proto)."""

from collections.abc import Mapping

import msgspec

from shoal.telemetry.masking import Look
from shoal.telemetry.wire import Hide, attributes, fixed64, text, utf8, varint

SEVERITIES = {"trace": 1, "debug": 5, "info": 9, "warning": 13, "warn": 13, "error": 17, "critical": 21, "fatal": 21}
"""Numbers of the levels (OpenTelemetry specification, "Logs Data Model", field SeverityNumber)."""


fromhex = bytes.fromhex

_LEVELS = 64
_heads: dict[str, bytes] = {}


class Record(msgspec.Struct, eq=False, frozen=True, gc=False):
    """One line of a log. The time is in nanoseconds since 1970."""

    at: int
    level: str
    message: str
    trace_id: str
    span_id: str
    attributes: Mapping[str, object]


def encode(record: Record, hide: Hide | None = None, look: Look | None = None) -> bytes:
    """Write a record as a field of ``ScopeLogs``; texts go through `hide` where there is reason to.

    What somebody must still look at is handed to `look`.
    """
    at = fixed64(record.at)
    message = utf8(record.message if hide is None else hide("", record.message))
    said, size = attributes(b"\x32", record.attributes, hide) if record.attributes else b"", varint(len(message))
    body = b"\x09%b%b\x2a%b\x0a%b%b%b%b\x59%b" % (
        at,
        _heads.get(record.level) or _head(record.level),
        varint(1 + len(size) + len(message)),
        size,
        message,
        said,
        b"\x4a\x10%b\x52\x08%b" % (fromhex(record.trace_id), fromhex(record.span_id)) if record.trace_id else b"",
        at,
    )
    if look is not None:
        look.parts += (message, said)
    return b"\x12" + varint(len(body)) + body


def _head(level: str) -> bytes:
    head = b"\x10" + varint(SEVERITIES.get(level, 9)) + text(3, level.upper())
    if len(_heads) < _LEVELS:
        _heads[level] = head
    return head
