"""Messages of OpenTelemetry's protocol to records.

Source: ``opentelemetry/proto/collector/{trace,logs,metrics}/v1`` and what these import. JSON is the mapping of protocol
buffers, but that identifiers are hexadecimal digits (specification of OTLP, "JSON Protobuf Encoding").
"""

import base64
import functools
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from shoal.dashboard.collector import metrics
from shoal.dashboard.collector.values import LONGEST, MOST, attributes, plain
from shoal.dashboard.store.records import Log, Record, Resource, Span, signed

_NAME = 1024
"""Characters of a name."""

_MICROSECOND = 1000
_LATEST = 1 << 62
_IDENTIFIERS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})


_MALFORMED = (DecodeError, json_format.ParseError, ValueError, TypeError, AttributeError, RecursionError)
"""What the readers raise; that of JSON expects objects where there may be anything."""


class Malformed(Exception):
    """A body is no message of the protocol."""


class Taken(NamedTuple):
    """What a message brought."""

    records: list[Record]
    rejected: int
    """Of its records, those that break the protocol's rules."""


class Signal(NamedTuple):
    """One of traces, logs and metrics."""

    message: Callable[[], Any]
    records: Callable[[Any], Taken]
    answer: Callable[[int, str], Message]
    """Says how many records were rejected, and why."""


def read(signal: Signal, body: bytes, *, is_json: bool) -> Taken:
    """Read the body of a request.

    Raises:
        Malformed: It is none.
    """
    message = signal.message()
    try:
        if is_json:
            json_format.ParseDict(_with_base64(json.loads(body)), message, ignore_unknown_fields=True)
        else:
            message.ParseFromString(body)
        return signal.records(message)
    except _MALFORMED as error:
        raise Malformed(f"this is no {type(message).__name__}: {error}") from error


def written(message: Message, *, is_json: bool) -> bytes:
    """Write an answer as its question was written."""
    found: bytes = json_format.MessageToJson(message, indent=None).encode() if is_json else message.SerializeToString()
    return found


def _with_base64(value: Any) -> Any:
    """Put identifiers into the form that protocol buffers want of bytes in JSON."""
    if isinstance(value, list):
        return [_with_base64(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64encode(bytes.fromhex(one)).decode()
        if key in _IDENTIFIERS and isinstance(one, str)
        else _with_base64(one)
        for key, one in value.items()
    }


def _spans(message: Any) -> Taken:
    found: list[Record] = []
    rejected = 0
    for group in message.resource_spans:
        who = resource(group.resource.SerializeToString())
        for scope in group.scope_spans:
            for told in scope.spans:
                trace, span = told.trace_id, told.span_id
                if (
                    len(trace) != 16
                    or len(span) != 8
                    or not any(trace)
                    or not any(span)
                    or told.start_time_unix_nano > _LATEST
                ):
                    rejected += 1
                else:
                    found.append(_span(who, trace, signed(span), told))
    return Taken(found, rejected)


def _span(who: Resource, trace: bytes, span: int, told: Any) -> Span:
    started = told.start_time_unix_nano // _MICROSECOND
    ended = told.end_time_unix_nano // _MICROSECOND
    parent = told.parent_span_id
    return Span(
        who,
        trace,
        span,
        signed(parent) if len(parent) == 8 else 0,
        told.name[:_NAME],
        told.kind if 0 <= told.kind <= 5 else 0,
        started,
        min(max(0, ended - started), _LATEST),
        told.status.code,
        told.status.message[:LONGEST],
        attributes(told.attributes),
        [(e.name[:_NAME], e.time_unix_nano // _MICROSECOND, attributes(e.attributes)) for e in told.events[:MOST]]
        if told.events
        else [],
        [(link.trace_id.hex(), link.span_id.hex()) for link in told.links[:MOST]] if told.links else [],
    )


def _logs(message: Any) -> Taken:
    found: list[Record] = []
    for group in message.resource_logs:
        who = resource(group.resource.SerializeToString())
        for scope in group.scope_logs:
            found += (_log(who, told) for told in scope.log_records)
    return Taken(found, 0)


def _log(who: Resource, told: Any) -> Log:
    at = (told.time_unix_nano or told.observed_time_unix_nano) // _MICROSECOND
    body = plain(told.body)
    text = body if isinstance(body, str) else "" if body is None else json.dumps(body, ensure_ascii=False)[:LONGEST]
    severity = told.severity_number if 0 <= told.severity_number <= 24 else 0
    trace = told.trace_id if len(told.trace_id) == 16 and any(told.trace_id) else b""
    span = signed(told.span_id) if len(told.span_id) == 8 else 0
    return Log(who, min(at, _LATEST // _MICROSECOND), severity, text, trace, span, attributes(told.attributes))


def _metrics(message: Any) -> Taken:
    return Taken([*_points(message)], 0)


def _points(message: Any) -> Iterator[Record]:
    for group in message.resource_metrics:
        who = resource(group.resource.SerializeToString())
        for scope in group.scope_metrics:
            for metric in scope.metrics:
                yield from metrics.points(who, metric)


@functools.lru_cache(maxsize=512)
def resource(encoded: bytes) -> Resource:
    """Read a ``Resource``; the same few come again and again."""
    from opentelemetry.proto.resource.v1.resource_pb2 import Resource as Message  # noqa: PLC0415 - its name is ours, too

    told = Message()
    told.ParseFromString(encoded)
    found = attributes(told.attributes)
    service = str(found.get("service.name") or "unknown")[:_NAME]
    replica = str(found.get("service.instance.id") or service)[:_NAME]
    return Resource(service, replica, json.dumps(found, ensure_ascii=False, sort_keys=True))


def _partial(answer: Any, partial: Any, field: str) -> Callable[[int, str], Message]:
    def told(rejected: int, why: str) -> Message:
        message: Message = answer(partial_success=partial(**{field: rejected}, error_message=why)) if why else answer()
        return message

    return told


TRACES = Signal(
    ExportTraceServiceRequest, _spans, _partial(ExportTraceServiceResponse, ExportTracePartialSuccess, "rejected_spans")
)
LOGS = Signal(
    ExportLogsServiceRequest,
    _logs,
    _partial(ExportLogsServiceResponse, ExportLogsPartialSuccess, "rejected_log_records"),
)
METRICS = Signal(
    ExportMetricsServiceRequest,
    _metrics,
    _partial(ExportMetricsServiceResponse, ExportMetricsPartialSuccess, "rejected_data_points"),
)
