"""What a small shop would tell: traces, logs, as requests of OpenTelemetry's protocol."""

import json
import random
import time
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
LEVELS = {"info": 9, "warning": 13, "error": 17}


@dataclass
class Told:
    """Collects spans and lines, and sends them. Times are milliseconds since 1970."""

    spans: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - no secret

    def span(
        self, trace: str, parent: str, service: str, name: str, kind: str, at: tuple[float, float], **more: Any
    ) -> str:
        """Tell of a span; `at` is its beginning and duration. Further names: attributes, error, events."""
        own = f"{self.chance.getrandbits(64):016x}"
        record: dict[str, Any] = {
            "traceId": trace, "spanId": own, "parentSpanId": parent, "name": name, "kind": KINDS[kind],
            "startTimeUnixNano": _nano(at[0]), "endTimeUnixNano": _nano(at[0] + at[1]),
            "attributes": _attributes(more.get("attributes", {})),
            "events": [
                {"name": event, "timeUnixNano": _nano(moment), "attributes": _attributes(values)}
                for event, moment, values in more.get("events", ())
            ],
        }  # fmt: skip
        if more.get("error"):
            record["status"] = {"code": 2, "message": more["error"]}
            record["attributes"] += _attributes({"error.type": more["error"]})
        self.spans.append((service, record))
        return own

    def line(self, service: str, level: str, message: str, at: float, trace: str = "", span: str = "") -> None:
        record = {"timeUnixNano": _nano(at), "severityNumber": LEVELS[level], "body": {"stringValue": message}}
        if trace:
            record |= {"traceId": trace, "spanId": span}
        self.lines.append((service, record | {"attributes": _attributes({"order": "o-1"})}))

    def identifier(self) -> str:
        """Make up a trace."""
        return f"{self.chance.getrandbits(128):032x}"

    def send(self, url: str) -> None:
        """Post everything, and forget it."""
        _post(f"{url}/v1/traces", {"resourceSpans": _by_service(self.spans, "scopeSpans", "spans")})
        _post(f"{url}/v1/logs", {"resourceLogs": _by_service(self.lines, "scopeLogs", "logRecords")})
        self.spans, self.lines = [], []


def order(told: Told, at: float, *, slow: bool = False, failed: bool = False) -> str:
    """Tell of an order: gateway, orders, products one by one, payments, an event and its handler; return its trace.

    A slow one pays at the second attempt.
    """
    trace, took = told.identifier(), 900.0 if slow else 90.0 + told.chance.random() * 40
    bad = {"error": "PaymentsDown"} if failed else {}
    http = {"http.request.method": "POST", "url.path": "/orders", "http.route": "/orders"}
    answered = http | {"http.response.status_code": 502 if failed else 201, "code.file.path": "shop/orders/service.py"}
    root = told.span(trace, "", "gateway", "POST /orders", "server", (at, took + 4), attributes=http, **bad)
    served = told.span(trace, root, "orders", "POST /orders", "server", (at + 2, took), attributes=answered, **bad)
    asked = {"db.query.text": "SELECT * FROM products WHERE sku = $1", "db.system.name": "postgresql"}
    for number in range(6):
        told.span(trace, served, "orders", "SELECT products", "client", (at + 5 + number * 3, 2.0), attributes=asked)
    _pay(told, (trace, served), at, took, slow=slow, failed=failed)
    if not failed:
        _announce(told, trace, served, at + took)
    said = ("error", "payment refused") if failed else ("info", "order placed")
    told.line("orders", *said, at + 60, trace, served)
    return trace


def _pay(told: Told, within: tuple[str, str], at: float, took: float, *, slow: bool, failed: bool) -> None:
    (trace, served), callee = within, {"peer.service": "payments", "http.request.method": "POST"}
    call = told.span(trace, served, "orders", "POST /payments", "client", (at + 30, took - 45), attributes=callee)
    if slow:
        told.span(trace, call, "orders", "attempt", "client", (at + 30, 10), error="timeout")
    again = {"http.request.resend_count": 1, "shoal.wait_ms": 5.0, "cold": "yes"} if slow else {"cold": "no"}
    sent = told.span(trace, call, "orders", "attempt", "client", (at + 45, took - 62), attributes=again)
    raised = (("exception", at + 50, {"exception.type": "Refused", "exception.message": "no money"}),)
    bad: dict[str, Any] = {"error": "PaymentsDown", "events": raised} if failed else {}
    told.span(trace, sent, "payments", "POST /payments", "server", (at + 46, took - 64), **bad)


def _announce(told: Told, trace: str, served: str, at: float) -> None:
    name = "orders.order_placed.v1"
    event = {"messaging.destination.name": name, "messaging.system": "nats"}
    sent = told.span(trace, served, "orders", f"send {name}", "producer", (at - 8, 1), attributes=event)
    queued = event | {"shoal.queue_ms": 38.0, "messaging.consumer.group.name": "mail"}
    told.span(trace, sent, "mail", f"process {name}", "consumer", (at + 40, 25), attributes=queued)


def morning(told: Told, *, orders: int = 40) -> dict[str, str]:
    """Tell of some minutes in the shop; return the traces that are special, by name."""
    now = time.time() * 1000
    special = {}
    for number in range(orders):
        at = now - (orders - number) * 9000
        slow, failed = number == orders - 5, number == orders - 3
        trace = order(told, at, slow=slow, failed=failed)
        if slow or failed or number == orders - 1:
            special["slow" if slow else "failed" if failed else "usual"] = trace
        looked, probe = told.identifier(), told.identifier()
        seen = {"http.request.method": "GET", "url.path": f"/products/{number}", "http.response.status_code": 200}
        took = 3 + told.chance.random() * 3
        told.span(looked, "", "products", "GET /products/{sku}", "server", (at + 3000, took), attributes=seen)
        told.span(probe, "", "products", "GET /health", "server", (at + 4000, 0.3))
        level = "warning" if number % 10 == 0 else "info"
        told.line("products", level, f"looked at product {number}", at + 3001, looked)
    return special


def _by_service(records: Iterable[tuple[str, dict[str, Any]]], scopes: str, kind: str) -> list[dict[str, Any]]:
    by: dict[str, list[dict[str, Any]]] = {}
    for service, record in records:
        by.setdefault(service, []).append(record)
    return [
        {
            "resource": {"attributes": _attributes({"service.name": service, "service.instance.id": f"{service}-0"})},
            scopes: [{kind: some}],
        }
        for service, some in by.items()
    ]


def _attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}


def _nano(milliseconds: float) -> str:
    return str(round(milliseconds * 1_000_000))


def _post(url: str, body: dict[str, Any]) -> None:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})  # noqa: S310 - ours
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        assert answer.status == 200, answer.read()
