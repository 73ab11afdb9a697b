"""Structured logs: one JSON object per line on standard output, each with the trace it belongs to."""

import asyncio
import contextlib
import logging
import sys
import time
from collections import deque
from contextvars import ContextVar
from typing import Any

import msgspec

from shoal.runtime.recording import recording
from shoal.runtime.trace import Trace, current
from shoal.telemetry.logs import Record
from shoal.telemetry.masking import HIDDEN, MASK, is_secret
from shoal.telemetry.recorder import Recorder
from shoal.telemetry.wire import bounded, hidden

_encode = msgspec.json.Encoder(enc_hook=repr).encode
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


acting: ContextVar[str] = ContextVar("acting", default="")
"""The service whose code runs; a process may hold several."""


class Journal:
    """Writes lines; those of one turn of the event loop go out in one system call."""

    def __init__(self, service: str, replica: str, version: str = "") -> None:
        self.service, self.replica, self.version = service, replica, version
        self.recorder: Recorder | None = None
        """Records lines of threads that belong to no service's work."""
        self._lines: deque[bytes] = deque()
        self._due = False
        """Whether a flush will come; several threads write, so the number of lines does not say."""
        self._stream = sys.stdout.buffer

    def write(self, level: str, message: str, trace: Trace | None, fields: dict[str, Any]) -> None:
        """Write one line; of what `fields` hold, known secrets and credentials are hidden."""
        at = time.time_ns()
        line: dict[str, Any] = {
            "time": at / 1e9,
            "level": level,
            "service": acting.get() or self.service,
            "replica": self.replica,
            "message": message,
        }
        if self.version:
            line["version"] = self.version
        if trace is not None:
            line["trace_id"], line["span_id"] = trace.trace_id, trace.span_id
        line.update(fields)
        written = _spell(line)
        self._lines.append(_spell(hidden("", line, MASK.hide)) if MASK.suspects(written) else written)
        recorder = recording.get() or self.recorder
        if recorder is not None and recorder.logging:
            recorder.log(Record(at, level, message, *_place(trace), fields))
        if not self._due:
            self._due = True
            try:
                asyncio.get_running_loop().call_soon(self.flush)
            except RuntimeError:
                self.flush()

    def flush(self) -> None:
        """Send what was written so far."""
        self._due = False  # first: a line that is added from now on sees to itself
        lines: list[bytes] = []
        with contextlib.suppress(IndexError):
            while True:
                lines.append(self._lines.popleft())
        if lines:
            self._stream.write(b"\n".join(lines) + b"\n")
            self._stream.flush()


def _spell(line: Any) -> bytes:
    """Write a line; one that JSON cannot hold, such as half a character, is written as well as it can be."""
    try:
        return _encode(line)
    except (ValueError, TypeError, OverflowError, msgspec.MsgspecError):
        plain = {key: value if isinstance(value, str) else repr(value) for key, value in line.items()}
        return _encode({key: value.encode("utf-8", "replace").decode() for key, value in plain.items()})


def _told(key: str, value: object) -> object:
    """Hide what stands under a key that names a secret, however deep."""
    if is_secret(key):
        return HIDDEN
    return hidden(key, bounded(value), _named) if isinstance(value, list | tuple | dict) else value


def _named(key: str, text: str) -> str:
    return HIDDEN if key and is_secret(key) else text


def _place(trace: Trace | None) -> tuple[str, str]:
    return ("", "") if trace is None else (trace.trace_id, trace.span_id)


class JournalHandler(logging.Handler):
    """Leads the standard library's logging into the journal."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, with its extra fields and the present trace; a record that cannot be written harms nobody."""
        try:
            self._emit(record)
        except Exception:  # noqa: BLE001 - as the handlers of the standard library: logging never raises
            self.handleError(record)

    def _emit(self, record: logging.LogRecord) -> None:
        fields = {k: _told(k, v) for k, v in record.__dict__.items() if k not in _STANDARD}
        fields["logger"] = record.name
        if record.exc_info:
            fields["error"] = logging.Formatter().formatException(record.exc_info)
        context = current.get()
        trace = context.trace if context else None
        self._journal.write(record.levelname.lower(), record.getMessage(), trace, fields)


def configure(service: str, replica: str, version: str = "") -> Journal:
    """Make the journal of this process and lead the root logger into it."""
    journal = Journal(service, replica, version)
    root = logging.getLogger()
    root.handlers[:] = [JournalHandler(journal)]
    root.setLevel(logging.INFO)
    for noisy in ("uvicorn", "uvicorn.access", "uvicorn.error", "nats", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return journal
