"""One trace through everything, log lines that say no secrets, probes, and metrics that Prometheus can read."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Protocol

import jsonschema
import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_metrics
from prometheus_client.samples import Sample

from shoal import Issuer, Postgres, Service, System, Transaction, anyone, contract, event, post, signed_in
from shoal.drivers.base import Backlog
from shoal.errors import Unavailable
from shoal.runtime.logs import JournalHandler
from shoal.runtime.trace import begin, resume
from tests.runtime.world import World, running

CANARY = "c4n4ry-p4ssw0rd"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
log = logging.getLogger("tests.observing")
Families = list[Metric]


@event("back.done", key="name")
class Done(msgspec.Struct, frozen=True):
    name: str


class SignIn(msgspec.Struct, frozen=True):
    name: str
    password: str


@contract("back")
class BackApi(Protocol):
    @post("/work", access=signed_in)
    async def work(self, order: SignIn) -> None: ...


front = Service("front")
back = Service("back", store=Postgres(), contracts=[BackApi], publishes=[Done])
sink = Service("sink", store=Postgres())


@front.post("/sign-in", access=signed_in)
async def sign_in(order: SignIn, api: BackApi) -> None:
    log.info("front works")
    await api.work(order)


@front.post("/broken", access=anyone)
async def broken(order: SignIn) -> None:
    raise ValueError("broken")


@back.implements(BackApi.work)
async def work(order: SignIn, tx: Transaction) -> None:
    log.info("back works")
    tx.publish(Done(order.name))


@sink.on(Done)
async def done(event: Done, tx: Transaction) -> None:
    log.info("sink works")


system = System("sys", services=[front, back, sink], issuer=Issuer(front, audience="sys"))


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(system, tmp_path) as world:
        yield world


@pytest.fixture(autouse=True)
def _into_the_journal(world: World) -> Iterator[None]:
    handlers, level = log.handlers, log.level
    log.handlers, log.propagate = [JournalHandler(world.journals["front"])], False
    log.setLevel(logging.INFO)
    yield
    log.handlers, log.propagate = handlers, True
    log.setLevel(level)


async def signed_in_once(world: World, **headers: str) -> str:
    answer = await world.post(
        "/sign-in?token=" + CANARY,
        json=SignIn("ann", CANARY),
        token=world.token("ann", note=CANARY),
        headers={"cookie": CANARY, "x-password": CANARY, **headers},
    )
    assert answer.status == 204
    await world.settle()
    return answer.trace_id


async def test_one_trace_runs_through_call_outbox_broker_and_consumer(world: World) -> None:
    assert await signed_in_once(world, traceparent=PARENT) == TRACE
    called = world.calls.seen[0][2]["traceparent"]
    announced = msgspec.json.decode(world.broker.log("SYS_BACK")[0].body)["traceparent"]
    assert called.split("-")[1] == announced.split("-")[1] == TRACE
    assert len({PARENT.split("-")[2], called.split("-")[2], announced.split("-")[2]}) == 3


async def test_every_line_of_the_log_carries_the_trace(world: World) -> None:
    await signed_in_once(world, traceparent=PARENT)
    lines = world.lines()
    messages = {line["message"] for line in lines}
    assert {"front works", "back works", "sink works", "POST /sign-in 204", "POST /work 204"} <= messages
    assert "back.done.v1 ok" in messages
    assert {line["trace_id"] for line in lines} == {TRACE}
    assert all(re.fullmatch("[0-9a-f]{16}", line["span_id"]) for line in lines)
    assert all({"time", "level", "service", "replica"} <= line.keys() for line in lines)
    spans = {line["message"]: line["span_id"] for line in lines}
    assert spans["front works"] == spans["POST /sign-in 204"] != spans["back works"] == spans["POST /work 204"]


async def test_no_line_holds_a_secret(world: World) -> None:
    await signed_in_once(world)
    await world.post("/broken", json=SignIn("ann", CANARY), headers={"authorization": f"Bearer {CANARY}"})
    await world.post("/broken", json={"name": 1, "password": CANARY})
    await world.post("/sign-in", json=SignIn("ann", CANARY), headers={"authorization": f"Bearer {CANARY}"})
    text = json.dumps(world.lines())
    assert "POST /broken 500" in text
    assert CANARY not in text
    assert world.token("ann").split(".")[0] not in text


@pytest.mark.parametrize(
    "header",
    [
        "",
        "x",
        PARENT.upper(),
        PARENT[:-1],
        f"{PARENT}-more",
        f"ff{PARENT[2:]}",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-00f067aa0ba902b7",
        f" {PARENT}",
    ],
)
def test_a_malformed_trace_is_replaced(header: str) -> None:
    found = resume(header)
    assert found.trace_id != TRACE
    assert re.fullmatch("[0-9a-f]{32}", found.trace_id)
    assert found.parent_id == ""


def test_a_trace_of_a_later_version_is_continued() -> None:
    found = resume(f"01-{TRACE}-00f067aa0ba902b7-01-what-will-be")
    assert (found.trace_id, found.parent_id) == (TRACE, "00f067aa0ba902b7")
    assert found.header().startswith(f"00-{TRACE}-{found.span_id}-01")
    assert begin().trace_id != begin().trace_id


async def test_a_line_that_cannot_be_written_harms_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    log.info("%d", "no number")
    log.info("odd %s", "\ud800")
    log.info("fine", extra={"odd": {(1, 2): object()}})
    log.info("after")
    assert "after" in {line["message"] for line in world.lines()}


async def test_an_exception_is_logged_with_its_trace_and_without_a_word_to_the_caller(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", records.append)
    logging.getLogger("shoal.request").addHandler(handler)
    answer = await world.post("/broken", json=SignIn("ann", "x"))
    logging.getLogger("shoal.request").removeHandler(handler)
    assert [r.getMessage() for r in records] == ["request failed: broken"]
    assert records[0].exc_info
    assert b"broken" not in answer.body.replace(b"/broken", b"")


async def test_health_and_readiness(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for service in ("front", "back", "sink"):
        assert (await world.direct(service, "GET", "/health")).json() == {"status": "alive", "service": service}
    ready = await world.direct("back", "GET", "/ready")
    assert ready.status == 200
    assert ready.json() == {
        "status": "ready",
        "checks": {"store": "ok", "broker": "ok", "outbox": "ok"},
        "outbox": {"pending": 0, "age_seconds": 0.0, "refused": 0, "bound": 1_000_000},
    }
    world.broker.away = True
    degraded = await world.direct("back", "GET", "/ready")
    assert (degraded.status, degraded.json()["status"]) == (200, "degraded")

    async def away() -> None:
        raise Unavailable("the store is away")

    monkeypatch.setattr(world.stores["back"], "ping", away)
    monkeypatch.setattr(world.stores["back"], "backlog", away)
    broken = await world.direct("back", "GET", "/ready")
    assert (broken.status, broken.json()["status"]) == (503, "unavailable")
    assert (await world.direct("back", "GET", "/health")).status == 200
    assert "shoal_store_up 0.0" in (await world.direct("back", "GET", "/metrics")).body.decode()
    monkeypatch.undo()
    world.broker.away = False


async def test_probes_are_not_reachable_through_the_gateway(world: World) -> None:
    for path in ("/health", "/ready", "/metrics", "/openapi.json", "/asyncapi.json"):
        assert (await world.direct("back", "GET", path)).status == 200
        assert (await world.get(path)).status == 404


async def test_a_service_shows_its_own_valid_documents(world: World) -> None:
    OpenAPIV31SpecValidator((await world.direct("back", "GET", "/openapi.json")).json()).validate()
    schema = json.loads((Path(__file__).parent.parent / "schemas" / "asyncapi-3.0.0.json").read_text("utf-8"))
    jsonschema.Draft7Validator(schema).validate((await world.direct("back", "GET", "/asyncapi.json")).json())


def sample(families: Families, name: str, **labels: str) -> Sample:
    """Find the one sample of a name that has these labels, and no other ones of theirs."""
    found = [s for f in families for s in f.samples if s.name == name and labels.items() <= s.labels.items()]
    assert len(found) == 1, (name, labels, found)
    return found[0]


async def read_metrics(world: World, service: str, accept: str = "") -> Families:
    """Read what a service shows with the parser of Prometheus' own client."""
    answer = await world.direct(service, "GET", "/metrics", {"accept": accept} if accept else {})
    kind = answer.headers["content-type"]
    if accept:
        assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8"
        return list(open_metrics(answer.body.decode()))  # type: ignore[no-untyped-call]
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    return list(plain_metrics(answer.body.decode()))


async def test_metrics_are_of_the_prometheus_format(world: World) -> None:
    for _ in range(3):
        await signed_in_once(world)
    await world.post("/broken", json=SignIn("ann", "x"))
    await world.post("/broken", json={})
    found = await read_metrics(world, "front")
    seconds = "http_server_request_duration_seconds"
    assert sample(found, f"{seconds}_count", shoal_operation="front.sign_in").value == 3
    failed = sample(found, f"{seconds}_count", shoal_operation="front.broken", http_response_status_code="500")
    assert failed.value == 1
    assert failed.labels["error_type"] == "500"
    refused = sample(found, f"{seconds}_count", shoal_operation="front.broken", http_response_status_code="422")
    assert (refused.value, "error_type" in refused.labels) == (1, False)
    assert sample(found, f"{seconds}_bucket", shoal_operation="front.sign_in", le="+Inf").value == 3
    buckets = [
        s.value
        for f in found
        for s in f.samples
        if s.labels.get("shoal_operation") == "front.sign_in" and "le" in s.labels
    ]
    assert buckets == sorted(buckets)
    assert sample(found, "http_server_active_requests").value == 0
    sunk = await read_metrics(world, "sink")
    handled = sample(sunk, "messaging_process_duration_seconds_count", messaging_destination_name="back.done.v1")
    assert (handled.value, handled.labels["shoal_outcome"]) == (3, "ok")
    assert (handled.labels["messaging_system"], handled.labels["messaging_consumer_group_name"]) == ("memory", "sink")
    delay = sample(sunk, "shoal_event_delay_seconds_count", messaging_destination_name="back.done.v1")
    assert delay.value == 3
    called = sample(found, "http_client_request_duration_seconds_count", server_address="back")
    assert called.value == 3
    assert (called.labels["shoal_operation"], called.labels["http_response_status_code"]) == ("back.work", "204")
    assert sample(found, "shoal_call_retries_total", shoal_operation="back.work").value == 0
    assert sample(found, "shoal_call_retry_budget", shoal_operation="back.work").value > 1
    said = await read_metrics(world, "back")
    assert sample(said, "shoal_outbox_pending").value == 0
    assert sample(said, "shoal_store_up").value == 1


async def test_nothing_has_a_label_that_the_catalog_does_not_name(world: World) -> None:
    await signed_in_once(world)
    await world.post("/broken", json=SignIn("ann", "x"))
    for host in world.hosts.values():
        for family in await host.vitals.families():
            used = {key for point in family.points for key, _ in point.attributes}
            assert used <= set(family.metric.labels), family.metric.name


async def test_who_reads_openmetrics_finds_the_trace_of_a_request_and_of_an_event(world: World) -> None:
    await signed_in_once(world, traceparent=PARENT)
    found = await read_metrics(world, "front", "application/openmetrics-text; version=1.0.0")
    told = [
        s.exemplar for f in found for s in f.samples if s.exemplar and s.labels["shoal_operation"] == "front.sign_in"
    ]
    assert [each.labels["trace_id"] for each in told] == [TRACE]
    sunk = await read_metrics(world, "sink", "application/openmetrics-text")
    handled = [
        s for f in sunk for s in f.samples if s.exemplar and s.name == "messaging_process_duration_seconds_bucket"
    ]
    assert [s.exemplar.labels["trace_id"] for s in handled if s.exemplar] == [TRACE]
    assert all(s.exemplar.value <= float(s.labels["le"]) for s in handled if s.exemplar)


async def test_a_trace_that_nobody_records_is_no_exemplar(world: World) -> None:
    await world.direct("front", "POST", "/broken", {"traceparent": PARENT.removesuffix("01") + "00"})
    found = await read_metrics(world, "front", "application/openmetrics-text")
    assert sample(found, "http_server_request_duration_seconds_count", shoal_operation="front.broken").value == 1
    assert [s for f in found for s in f.samples if s.exemplar] == []


async def test_a_large_backlog_is_counted_exactly(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def backlog() -> Any:
        return Backlog(count=1_234_567, age=2.5)

    monkeypatch.setattr(world.stores["back"], "backlog", backlog)
    found = await read_metrics(world, "back")
    monkeypatch.undo()
    assert sample(found, "shoal_outbox_pending").value == 1_234_567


async def test_lines_of_one_turn_are_written_together(world: World) -> None:
    await asyncio.gather(*(world.direct("front", "POST", "/none") for _ in range(5)))
    await asyncio.sleep(0)
    assert len(world.journals["front"].kept.getvalue().splitlines()) == 5
