"""Messages as services export them: traces of ten spans over five services, eight attributes each."""

import random
import time
from collections.abc import Iterator

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

BATCH = 512
"""Spans of one message, as exporters send them."""

_SPANS = (
    ("gateway", "POST /orders", 2),
    ("orders", "POST /orders", 2),
    ("orders", "GET /products/{sku}", 3),
    ("products", "GET /products/{sku}", 2),
    ("products", "SELECT products", 3),
    ("orders", "INSERT orders", 3),
    ("orders", "send orders.placed.v1", 4),
    ("payments", "process orders.placed.v1", 5),
    ("payments", "INSERT payments", 3),
    ("inventory", "process orders.placed.v1", 5),
)
"""Service, name, kind."""


def messages(count: int, seed: int = 1) -> Iterator[bytes]:
    """Yield messages with so many spans in all."""
    chance = random.Random(seed)  # noqa: S311 - it is to be the same again
    now = time.time_ns() - count * 20_000
    waiting: dict[str, ExportTraceServiceRequest] = {}
    for trace in range(count // len(_SPANS)):
        identifier, parent = chance.randbytes(16), b""
        for step, (service, name, kind) in enumerate(_SPANS):
            message = waiting.setdefault(service, _begun(service))
            began = now + trace * 200_000 + step * 1_000_000
            span = message.resource_spans[0].scope_spans[0].spans.add(
                trace_id=identifier, span_id=chance.randbytes(8), parent_span_id=parent, name=name, kind=kind,
                start_time_unix_nano=began, end_time_unix_nano=began + chance.randrange(100_000, 50_000_000),
            )  # fmt: skip
            span.attributes.extend(_attributes(trace, name))
            if trace % 97 == 0:
                span.status.code = 2
            parent = span.span_id
            if len(message.resource_spans[0].scope_spans[0].spans) == BATCH:
                yield waiting.pop(service).SerializeToString()
    yield from (message.SerializeToString() for message in waiting.values())


def _begun(service: str) -> ExportTraceServiceRequest:
    message = ExportTraceServiceRequest()
    group = message.resource_spans.add()
    group.resource.attributes.extend([_pair("service.name", service), _pair("service.instance.id", f"{service}-0")])
    group.scope_spans.add()
    return message


def _attributes(trace: int, name: str) -> list[KeyValue]:
    return [
        _pair("http.request.method", "POST"),
        _pair("http.route", "/orders"),
        _pair("http.response.status_code", 201),
        _pair("url.path", f"/orders/{trace % 1000}"),
        _pair("shoal.operation", name),
        _pair("code.file.path", "shop/orders/service.py"),
        _pair("code.line.number", 44),
        _pair("order.id", trace),
    ]


def _pair(key: str, value: str | int) -> KeyValue:
    return KeyValue(
        key=key, value=AnyValue(string_value=value) if isinstance(value, str) else AnyValue(int_value=value)
    )
