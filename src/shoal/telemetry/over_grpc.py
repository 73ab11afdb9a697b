"""OTLP over gRPC (OpenTelemetry protocol specification 1.x, "OTLP/gRPC"): the same requests, as calls."""

import binascii
import ssl
from base64 import b64decode
from collections.abc import Iterator
from urllib.parse import urlsplit

from shoal.telemetry.grpc import Answer, Channel
from shoal.telemetry.sender import Outcome, lost, trusting
from shoal.telemetry.settings import TelemetrySettings

METHODS = {
    signal: f"/opentelemetry.proto.collector.{package}.v1.{service}/Export"
    for signal, package, service in (
        ("traces", "trace", "TraceService"),
        ("logs", "logs", "LogsService"),
        ("metrics", "metrics", "MetricsService"),
    )
}

CODES = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip
"""Statuses by number (gRPC, "Status codes and their use")."""

AGAIN = ("CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS")
"""Statuses after which the same request is sent again (section "Failures"); ``RESOURCE_EXHAUSTED`` only where the
receiver says when."""

AGAIN_HTTP = (429, 502, 503, 504)
"""Statuses of somebody in between that mean ``UNAVAILABLE`` (gRPC, "HTTP to gRPC Status Code Mapping")."""

PORT = 4317
LONGEST = 60.0
"""Seconds that a receiver may ask to wait, at most."""

_RETRY_INFO = b"type.googleapis.com/google.rpc.RetryInfo"


class GrpcSender:
    """Sends requests of one signal."""

    def __init__(self, signal: str, address: str, settings: TelemetrySettings) -> None:
        parts = urlsplit(address)
        self._host, self._port = parts.hostname or "", parts.port or PORT
        self.address = f"{parts.scheme}://{self._host}:{self._port}"
        self._secure = parts.scheme == "https"
        self._method, self._settings = METHODS[signal], settings
        self._channel: Channel | None = None

    def send(self, body: bytes) -> Outcome:
        """Send one request and read its answer; raises nothing."""
        zips = self._settings.compression == "gzip"
        fresh = True
        try:
            if self._channel is None:
                self._channel = Channel(self._host, self._port, self._tls(), self._settings.timeout)
            fresh = not self._channel.connected
            return judged(self._channel.call(self._method, body, self._settings.headers, zips=zips))
        except TimeoutError:
            return Outcome(taken=False, again=True, reason=f"no answer within {self._settings.timeout:g} s")
        except (OSError, ValueError) as error:
            if not fresh:  # the receiver may have closed it while nothing was sent
                return self.send(body)
            return lost(error)

    def _tls(self) -> ssl.SSLContext | None:
        if not self._secure:
            return None
        context = trusting(self._settings)
        context.set_alpn_protocols(["h2"])
        return context

    def close(self) -> None:
        """Close the connection; another request opens one."""
        if self._channel is not None:
            self._channel.close()


def judged(answer: Answer) -> Outcome:
    """Tell what an answer means for the request."""
    if answer.status is None:
        return Outcome(taken=False, again=answer.http in AGAIN_HTTP, reason=f"it answers {answer.http}, without gRPC")
    if answer.status == 0:
        return Outcome(taken=True)
    name = CODES[answer.status] if answer.status < len(CODES) else f"status {answer.status}"
    wait = retry_after(answer.details)
    again = name in AGAIN or (name == "RESOURCE_EXHAUSTED" and wait is not None)
    said = f": {answer.message[:500]}" if answer.message else ""
    return Outcome(taken=False, again=again, after=min(wait or 0.0, LONGEST), reason=f"it answers {name}{said}")


def retry_after(details: str) -> float | None:
    """Read from a ``google.rpc.Status`` how many seconds to wait; None where it does not say so, or cannot be read.

    Source: ``google/rpc/status.proto``, ``error_details.proto``: the details (3) are messages of any type, with its
    name (1) and bytes (2); ``RetryInfo`` has a duration (1) of seconds (1) and nanoseconds (2).
    """
    try:
        status = b64decode(details + "=" * (-len(details) % 4), validate=True)
        for detail in _fields(status, 3):
            if _RETRY_INFO in _fields(detail, 1):
                info = b"".join(_fields(detail, 2))
                duration = b"".join(_fields(info, 1))
                seconds, nanos = (sum(_numbers(duration, number)) for number in (1, 2))
                return max(0.0, seconds + nanos / 1e9) if seconds < 1 << 63 else None
    except (binascii.Error, ValueError, IndexError):
        return None
    return None


def _fields(message: bytes, number: int) -> list[bytes]:
    return [value for found, value in _read(message) if found == number and isinstance(value, bytes)]


def _numbers(message: bytes, number: int) -> list[int]:
    return [value for found, value in _read(message) if found == number and isinstance(value, int)]


def _read(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Read the fields of a message; `ValueError` or `IndexError` where it is none."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        if kind == 2:
            size, at = _varint(message, at)
        else:
            size = {1: 8, 5: 4}.get(kind, len(message))
        if at + size > len(message):
            raise ValueError("a field is longer than its message")
        yield tag >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7
        if shift > 63:
            raise ValueError("a number has no end")
