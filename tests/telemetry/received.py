"""What was exported, decoded with the official messages, and a small receiver that keeps it."""

import gzip
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from shoal.telemetry.recorder import Recorder

KINDS = ("", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")


class Event(msgspec.Struct, frozen=True):
    name: str
    at: int
    attributes: Mapping[str, Any]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A span as whoever receives it sees it."""

    service: str
    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: str
    ms: float
    attributes: Mapping[str, Any]
    status: int
    message: str
    events: tuple[Event, ...]
    links: tuple[tuple[str, str], ...]
    scope: str
    resource: Mapping[str, Any]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A log record, likewise."""

    service: str
    level: str
    severity: int
    message: str
    trace_id: str
    span_id: str
    attributes: Mapping[str, Any]


def plain(value: AnyValue) -> Any:
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return pairs(value.kvlist_value.values)
        case kind:
            return getattr(value, kind)


def pairs(found: Iterable[KeyValue]) -> dict[str, Any]:
    keys = [pair.key for pair in found]
    assert len(keys) == len(set(keys)), f"attributes are told twice: {keys}"
    return {pair.key: plain(pair.value) for pair in found}


def spans_of(body: bytes) -> Iterator[Seen]:
    for group in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = pairs(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                assert span.start_time_unix_nano <= span.end_time_unix_nano
                yield Seen(
                    service=resource["service.name"],
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    name=span.name,
                    kind=KINDS[span.kind],
                    ms=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e6,
                    attributes=pairs(span.attributes),
                    status=span.status.code,
                    message=span.status.message,
                    events=tuple(Event(e.name, e.time_unix_nano, pairs(e.attributes)) for e in span.events),
                    links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
                    scope=scope.scope.name,
                    resource=resource,
                )


def lines_of(body: bytes) -> Iterator[Line]:
    for group in ExportLogsServiceRequest.FromString(body).resource_logs:
        service = pairs(group.resource.attributes)["service.name"]
        for scope in group.scope_logs:
            for record in scope.log_records:
                yield Line(
                    service=service,
                    level=record.severity_text,
                    severity=record.severity_number,
                    message=plain(record.body),
                    trace_id=record.trace_id.hex(),
                    span_id=record.span_id.hex(),
                    attributes=pairs(record.attributes),
                )


def bodies(queue: Any) -> Iterator[bytes]:
    while (parcel := queue.take()) is not None:
        yield parcel.body


def recorded(recorders: Iterable[Recorder | None]) -> list[Seen]:
    """Take the spans that wait in recorders, in the order in which they began to be children."""
    return [span for r in recorders if r is not None for body in bodies(r.spans) for span in spans_of(body)]


def logged(recorders: Iterable[Recorder | None]) -> list[Line]:
    return [line for r in recorders if r is not None for body in bodies(r.logs) for line in lines_of(body)]


class Receiver:
    """Takes OTLP over HTTP on loopback; `answers` are the statuses of the next requests, 200 afterwards."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.came = threading.Condition()
        self.url = ""

    def spans(self) -> list[Seen]:
        return [span for path, _, body in self.requests if path == "/v1/traces" for span in spans_of(body)]

    def lines(self) -> list[Line]:
        return [line for path, _, body in self.requests if path == "/v1/logs" for line in lines_of(body)]

    def wait(self, count: int, seconds: float = 10.0) -> None:
        with self.came:
            assert self.came.wait_for(lambda: len(self.requests) >= count, seconds), f"{len(self.requests)} came"


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            status = receiver.answers.pop(0) if receiver.answers else 200
            with receiver.came:
                if status == 200:
                    receiver.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                receiver.came.notify_all()
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
