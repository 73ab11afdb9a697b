"""Requests and calls as spans, log records with their trace, and what sampling leaves of them."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pytest

from shoal import Problem, Service, System, Trace, anyone, contract, get, internal
from shoal.runtime.clients import Answer
from shoal.runtime.logs import JournalHandler
from tests.runtime.world import World, running
from tests.telemetry.received import Seen, logged, recorded

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
SAMPLED = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
UNSAMPLED = {"traceparent": f"00-{TRACE}-{PARENT}-00"}
TOLD = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
log = logging.getLogger("tests.recording")


class Price(msgspec.Struct, frozen=True):
    cents: int


@contract("stock")
class StockApi(Protocol):
    @get("/prices/{sku}", access=internal)
    async def price(self, sku: str) -> Price: ...


stock, till = Service("stock", contracts=[StockApi]), Service("till")


@stock.implements(StockApi.price)
async def price(sku: str) -> Price:
    if sku == "gone":
        raise Problem(404, "no-such-product", "there is none")
    if sku == "broken":
        raise RuntimeError("the shelf fell over")
    return Price(1250)


@till.post("/baskets/{sku}", access=anyone)
async def basket(sku: str, trace: Trace) -> str:
    trace.set("basket.items", 3)
    trace.set("basket.token", "s3cr3t")
    with trace.span("price the basket", {"sku": sku}):
        trace.event("looked up", {"where": ["shelf", "cellar"]})
        with trace.span("weigh", {"peer.service": "scales"}):
            pass
        if sku == "lead":
            raise ValueError("too heavy")
    return trace.id


@till.post("/sales/{sku}", access=anyone)
async def sell(sku: str, api: StockApi) -> Price:
    log.warning("selling %s", sku)
    return await api.price(sku)


system = System("market", services=[stock, till])


@pytest.fixture(autouse=True)
def _into_the_journal(world: World) -> Iterator[None]:
    handlers = log.handlers
    log.handlers, log.propagate = [JournalHandler(world.journals["till"])], False
    yield
    log.handlers, log.propagate = handlers, True


@pytest.fixture(name="world")
async def _world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with running(system, tmp_path, **{**TOLD, **getattr(request, "param", {})}) as world:
        yield world


def spans(world: World) -> list[Seen]:
    return recorded(world.recorders.values())


def one(found: list[Seen], kind: str, service: str) -> Seen:
    (seen,) = [span for span in found if span.kind == kind and span.service == service]
    return seen


async def test_a_request_and_its_call_are_three_spans_of_the_callers_trace(world: World) -> None:
    assert (await world.post("/sales/tea", headers=SAMPLED)).status == 200
    found = spans(world)
    served, called, answered = one(found, "SERVER", "till"), one(found, "CLIENT", "till"), one(found, "SERVER", "stock")
    assert {span.trace_id for span in found} == {TRACE}
    assert len(found) == 3
    assert called.parent_id == served.span_id
    assert answered.parent_id == called.span_id
    assert (served.name, called.name, answered.name) == ("POST /sales/{sku}", "GET /prices/{sku}", "GET /prices/{sku}")
    assert served.attributes["url.path"] == "/sales/tea"
    assert served.attributes["http.response.status_code"] == called.attributes["http.response.status_code"] == 200
    assert served.attributes["shoal.operation"] == "till.sell"
    assert served.attributes["code.file.path"].endswith("test_recording.py")
    assert called.attributes["server.address"] == called.attributes["peer.service"] == "stock"
    assert served.resource["service.namespace"] == "market"
    assert served.resource["service.instance.id"] == "till-0"
    assert {span.status for span in found} == {0}


async def test_what_nobody_expected_is_told_with_its_stack(world: World) -> None:
    assert (await world.post("/sales/broken", headers=SAMPLED)).status == 502
    found = spans(world)
    answered = one(found, "SERVER", "stock")
    (event,) = answered.events
    assert answered.status == 2
    assert answered.attributes["error.type"] == event.attributes["exception.type"] == "RuntimeError"
    assert "the shelf fell over" in event.attributes["exception.message"]
    assert "test_recording.py" in event.attributes["exception.stacktrace"]
    called = one(found, "CLIENT", "till")
    assert (called.status, called.attributes["http.response.status_code"]) == (2, 500)
    assert called.events == ()


async def test_a_refusal_is_no_failure_of_ours(world: World) -> None:
    assert (await world.direct("stock", "GET", "/prices/gone")).status == 404
    (answered,) = spans(world)
    assert answered.status == 0
    assert answered.attributes["shoal.problem"] == "no-such-product"


async def test_a_path_that_nobody_serves_makes_no_name(world: World) -> None:
    await world.direct("stock", "GET", "/nothing/here")
    await world.direct("stock", "BREW", "/tea")
    assert [(span.name, span.attributes["url.path"]) for span in spans(world)] == [
        ("GET", "/nothing/here"),
        ("HTTP", "/tea"),
    ]


async def test_repeated_attempts_are_spans_beneath_the_call(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    send, away = world.calls.send, [True]

    async def falter(*args: Any) -> Answer:
        return Answer(503, b"{}") if away and away.pop() else await send(*args)

    monkeypatch.setattr(world.calls, "send", falter)
    assert (await world.post("/sales/tea", headers=SAMPLED)).status == 200
    found = spans(world)
    called = one(found, "CLIENT", "till")
    first, second = [span for span in found if span.name == "attempt"]
    assert first.parent_id == second.parent_id == called.span_id
    assert (first.attributes["http.request.resend_count"], second.attributes["http.request.resend_count"]) == (0, 1)
    assert (first.status, second.status, called.status) == (2, 0, 0)
    assert one(found, "SERVER", "stock").parent_id == second.span_id
    (waited,) = called.events
    assert waited.name == "wait"
    assert waited.attributes["shoal.wait_ms"] > 0


async def test_log_records_carry_their_trace_and_their_span(world: World) -> None:
    await world.post("/sales/tea", headers=SAMPLED)
    served = one(spans(world), "SERVER", "till")
    lines = {line.message: line for line in logged(world.recorders.values())}
    own, access = lines["selling tea"], lines["POST /sales/tea 200"]
    assert (own.trace_id, own.span_id) == (access.trace_id, access.span_id) == (TRACE, served.span_id)
    assert (own.level, own.severity, own.service) == ("WARNING", 13, "till")
    assert own.attributes["logger"] == "tests.recording"
    assert (access.severity, access.attributes["status"]) == (9, 200)
    assert lines["GET /prices/tea 200"].service == "stock"


async def test_an_unsampled_trace_is_counted_and_not_recorded(world: World) -> None:
    await world.post("/sales/tea", headers=UNSAMPLED)
    assert spans(world) == []
    shown = (await world.direct("till", "GET", "/metrics")).body.decode()
    counted = [line for line in shown.splitlines() if line.startswith("http_server_request_duration_seconds_count")]
    assert [line.endswith(" 1") for line in counted if "till.sell" in line] == [True]
    assert logged(world.recorders.values()) != []


async def test_of_an_unsampled_trace_the_part_that_failed_is_kept(world: World) -> None:
    await world.post("/sales/broken", headers=UNSAMPLED)
    found = spans(world)
    assert {(span.service, span.kind) for span in found} == {
        ("till", "SERVER"),
        ("till", "CLIENT"),
        ("stock", "SERVER"),
    }
    assert one(found, "SERVER", "stock").attributes["shoal.kept"] == "failed"


@pytest.mark.parametrize("world", [{"SHOAL_TRACES_SLOW": "0"}], indirect=True)
async def test_of_an_unsampled_trace_the_part_that_was_slow_is_kept(world: World) -> None:
    await world.post("/sales/tea", headers=UNSAMPLED)
    assert {span.attributes.get("shoal.kept") for span in spans(world) if span.kind == "SERVER"} == {"slow"}


@pytest.mark.parametrize(
    "world", [{"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}], indirect=True
)
async def test_a_share_of_nothing_tells_the_callee_that_the_trace_is_not_sampled(world: World) -> None:
    await world.post("/sales/tea", headers=SAMPLED)
    assert world.calls.seen[0][2]["traceparent"].endswith("-00")
    assert spans(world) == []


async def test_authors_add_attributes_and_spans(world: World) -> None:
    answer = await world.post("/baskets/tea", headers=SAMPLED)
    assert answer.json() == TRACE
    (weighed, own, served) = spans(world)
    assert (weighed.name, weighed.kind) == ("weigh", "CLIENT"), "it names a peer"
    assert (own.name, own.kind, own.parent_id, own.status) == ("price the basket", "INTERNAL", served.span_id, 0)
    assert own.attributes == {"sku": "tea"}
    assert (own.events[0].name, own.events[0].attributes) == ("looked up", {"where": ["shelf", "cellar"]})
    assert (served.attributes["basket.items"], served.attributes["basket.token"]) == (3, "***")


async def test_an_authors_span_fails_with_what_leaves_it(world: World) -> None:
    assert (await world.post("/baskets/lead", headers=SAMPLED)).status == 500
    (_, own, served) = spans(world)
    assert (own.status, own.message, own.attributes["error.type"]) == (2, "too heavy", "ValueError")
    assert [event.name for event in own.events] == ["looked up"]
    assert [event.name for event in served.events] == ["exception"]


@pytest.mark.parametrize("world", [{"OTEL_EXPORTER_OTLP_ENDPOINT": ""}], indirect=True)
async def test_without_a_receiver_nothing_is_recorded(world: World) -> None:
    assert (await world.post("/sales/tea", headers=SAMPLED)).status == 200
    assert (await world.post("/baskets/tea", headers=SAMPLED)).json() == TRACE
    assert set(world.recorders.values()) == {None}
    assert world.calls.seen[0][2]["traceparent"].startswith(f"00-{TRACE}-")
