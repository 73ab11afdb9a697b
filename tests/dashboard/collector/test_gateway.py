"""The gateway's access log becomes spans: parents of what the services tell, while the log grows and is renamed."""

import asyncio
import json
from pathlib import Path

import pytest

from shoal.dashboard.collector.edge import gateway, span_of
from shoal.dashboard.collector.following import Follower, follow
from shoal.dashboard.collector.gateway import Gateway
from shoal.dashboard.store.reading import TraceQuery, database, edges, trace, traces
from shoal.dashboard.store.records import ERROR, Span
from shoal.dashboard.store.writer import Writer
from tests.dashboard.telling import span as told_span

ROUTES = {"orders.place_order": "/orders/{order_id}"}
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
LINE = {
    "time": "2027-01-15T08:00:00.000250Z", "hop": "edge", "request_id": "9e89d281-ba6c", "trace_id": TRACE,
    "traceparent": f"00-{TRACE}-{SPAN}-01", "method": "POST", "authority": "127.0.0.1:8000", "path": "/orders/7",
    "route": "orders.place_order", "status": 201, "flags": "-", "details": "via_upstream", "failure": None,
    "cluster": "gateway.orders", "upstream": "/s/orders.in", "attempts": 1, "duration_ms": 4, "duration_us": 4321,
    "bytes_received": 1, "bytes_sent": 2, "caller": None,
}  # fmt: skip


def _raw(**changes: object) -> bytes:
    return json.dumps(LINE | changes, separators=(",", ":")).encode()


def _span(**changes: object) -> Span:
    found = span_of(_raw(**changes), gateway("shop"), ROUTES)
    assert found is not None
    return found


def test_a_line_is_the_span_that_the_services_have_as_their_parent() -> None:
    span = _span()
    assert (span.trace.hex(), f"{span.span & 0xFFFFFFFFFFFFFFFF:016x}", span.parent) == (TRACE, SPAN, 0)
    assert (span.name, span.resource.service, span.status) == ("POST /orders/{order_id}", "gateway", 0)
    assert (span.started, span.took) == (1_800_000_000_000_250, 4321)
    assert span.attributes == {
        "http.request.method": "POST", "http.response.status_code": 201, "http.response.body.size": 2,
        "url.path": "/orders/7",
        "server.address": "127.0.0.1:8000", "http.route": "/orders/{order_id}", "shoal.operation": "orders.place_order",
        "shoal.upstream": "orders", "shoal.request_id": "9e89d281-ba6c",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({"status": 404, "flags": "NR", "details": "route_not_found", "cluster": None, "route": None}, 0, ""),
        ({"status": 503, "flags": "UH", "details": "no_healthy_upstream"}, ERROR, "UH no_healthy_upstream"),
        (
            {"status": 0, "flags": "DC", "details": "downstream_remote_disconnect"},
            ERROR,
            "DC downstream_remote_disconnect",
        ),
    ],
)
def test_what_envoy_says_of_a_failure_is_in_its_span(changes: dict[str, object], status: int, message: str) -> None:
    span = _span(**changes)
    assert (span.status, span.message) == (status, message)
    assert span.attributes["shoal.flags"] == changes["flags"]
    assert ("error.type" in span.attributes) == (status == ERROR)


def test_a_request_without_a_trace_gets_one_of_its_own() -> None:
    first, again, other = (_span(trace_id=None, traceparent=None, request_id=one) for one in ("a", "a", "b"))
    assert first == again
    assert (len(first.trace), bool(first.span)) == (16, True)
    assert (first.trace, first.span) != (other.trace, other.span)


@pytest.mark.parametrize("raw", [b"", b'{"hop":"edge"', b'"hop":"edge"', _raw(hop="inbound.orders"), _raw(time="soon")])
def test_other_lines_are_no_spans(raw: bytes) -> None:
    assert span_of(raw, gateway("shop"), ROUTES) is None


def test_a_follower_gives_each_whole_line_once(tmp_path: Path) -> None:
    file = tmp_path / "access.jsonl"
    follower = Follower(file)
    assert follower.lines() == []
    with file.open("ab", buffering=0) as log:
        log.write(b"one\ntw")
        assert follower.lines() == [b"one"]
        assert follower.lines() == []
        log.write(b"o\nthree\n")
        assert follower.lines() == [b"two", b"three"]
        file.rename(tmp_path / "access.1.jsonl")
        log.write(b"late\n")
        assert follower.lines() == [b"late"]
        file.write_bytes(b"new\n")
        log.write(b"last\n")
        assert follower.lines() == [b"last"]
    assert follower.lines() == []
    assert follower.lines() == [b"new"]
    file.write_bytes(b"")
    assert follower.lines() == []
    with file.open("ab") as log:
        log.write(b"after it was emptied\n")
    assert follower.lines() == [b"after it was emptied"]
    follower.close()


async def test_gateway_and_service_are_one_trace(tmp_path: Path) -> None:
    access, routes = tmp_path / "access.jsonl", tmp_path / "routes.json"
    old = _raw(time="2027-01-14T08:00:00.000000Z", trace_id="ee" * 16, traceparent=f"00-{'ee' * 16}-{SPAN}-01")
    access.write_bytes(old + b"\n")
    writer = Writer(tmp_path / "run-000001.db")
    spans = Gateway(writer, "shop", routes, since=1_800_000_000.0)
    following = asyncio.create_task(follow(access, spans.take))
    await asyncio.sleep(0)
    routes.write_text(json.dumps(ROUTES))
    with access.open("ab") as log:
        log.write(_raw() + b"\n")
    parent = int.from_bytes(bytes.fromhex(SPAN), "big", signed=True)
    child = told_span("orders", "POST /orders/{order_id}", int(TRACE, 16), parent=parent, at=1, took=2)
    writer.put([child])
    following.cancel()  # and yet it reads to the end
    await asyncio.gather(following, return_exceptions=True)
    writer.close()
    with database(writer.file) as found:
        (one,) = traces(found, TraceQuery()).items
        assert (one.service, one.name, one.spans) == ("gateway", "POST /orders/{order_id}", 2)
        whole = trace(found, TRACE)
        assert whole is not None
        assert [(each.service, each.parent_id) for each in whole.spans] == [("gateway", ""), ("orders", SPAN)]
        assert [(each.source, each.target) for each in edges(found).items] == [("gateway", "orders")]
