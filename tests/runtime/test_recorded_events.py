"""One order, one trace: from the request through outbox, broker, handlers and sagas, attempt by attempt."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from shoal import (
    Postgres,
    ReadModel,
    Saga,
    Service,
    StepRefused,
    System,
    Tick,
    Transaction,
    anyone,
    event,
    record,
    retriable,
    step,
)
from shoal.runtime.consuming.processing import ended
from shoal.runtime.recording import apart, begun, opened, recording
from shoal.runtime.trace import begin
from shoal.telemetry.recorder import Recorder
from shoal.telemetry.settings import TelemetrySettings
from shoal.telemetry.spans import CONSUMER
from tests.runtime.world import World, running
from tests.telemetry.received import Seen, logged, recorded

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SAMPLED = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


@event("shop.sold", key="item")
class Sold(msgspec.Struct, frozen=True, kw_only=True):
    item: str


@event("shop.counted")
class Counted(msgspec.Struct, frozen=True, kw_only=True):
    item: str


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    item: str


@record("totals", key="item")
class Total(msgspec.Struct, frozen=True, kw_only=True):
    item: str
    count: int = 0


shop = Service("shop", store=Postgres(), publishes=[Sold, Counted])
desk = Service("desk", store=Postgres())
totals = desk.projection("totals", records=[Total])
failing: list[str] = []
batches: list[int] = []


@shop.saga("deliver", timeout=3600)
class Deliver(Saga[Parcel]):
    """A parcel."""

    async def unpack(self, state: Parcel, tx: Transaction) -> None: ...

    @step(compensate=unpack, backoff=0.01)
    async def pack(self, state: Parcel, tx: Transaction) -> None: ...

    @step(compensate=unpack, backoff=0.01)
    async def send(self, state: Parcel, tx: Transaction) -> None:
        if state.item == "lead":
            raise StepRefused("too heavy")

    @retriable(backoff=0.01)
    async def thank(self, state: Parcel, tx: Transaction) -> None: ...


@shop.post("/sales/{item}", access=anyone)
async def sell(item: str, tx: Transaction) -> None:
    await tx.start(Deliver, Parcel(item=item))
    tx.publish(Sold(item=item))
    if item == "nothing":
        raise ValueError("there is none")


@shop.post("/counts/{item}", access=anyone)
async def count(item: str, tx: Transaction) -> None:
    for number in range(3):
        tx.publish(Counted(item=f"{item} {number}"))


@desk.on(Sold, attempts=5, backoff=0.01)
async def note(event: Sold, tx: Transaction) -> None:
    if event.item in failing:
        failing.remove(event.item)
        raise ValueError("no pen")


@desk.on(Counted, batch=10)
async def tally(events: Sequence[Counted], tx: Transaction) -> None:
    batches.append(len(events))


@desk.every(timedelta(hours=1))
async def sweep(tick: Tick, tx: Transaction) -> None: ...


@totals.on(Sold)
async def sold(event: Sold, records: ReadModel) -> None:
    known = await records.get(Total, event.item) or Total(item=event.item)
    records.put(Total(item=event.item, count=known.count + 1))


system = System("market", services=[shop, desk])


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    failing.clear()
    batches.clear()
    async with running(system, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9") as world:
        yield world


class Spans:
    """What was recorded so far; `until` waits for a span that begins with a text."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.all: list[Seen] = []

    async def until(self, beginning: str, count: int = 1) -> list[Seen]:
        async with asyncio.timeout(10):
            while len(found := self.named(beginning)) < count:
                await asyncio.sleep(0.005)
                self._world.clock.advance(0.05)
        return found

    def named(self, beginning: str) -> list[Seen]:
        self.all += recorded(self._world.recorders.values())
        return [span for span in self.all if span.name.startswith(beginning)]


async def test_an_event_goes_on_in_the_trace_of_its_request(world: World) -> None:
    spans = Spans(world)
    await world.post("/sales/tea", headers=SAMPLED)
    (handled,) = await spans.until("process shop.sold.v1")
    (request,), (sent,) = spans.named("POST /sales/{item}"), spans.named("send shop.sold.v1")
    (published,) = await spans.until("publish shop.sold.v1")
    assert {request.trace_id, sent.trace_id, published.trace_id, handled.trace_id} == {TRACE}
    assert (sent.parent_id, sent.kind) == (request.span_id, "PRODUCER")
    assert published.parent_id == handled.parent_id == sent.span_id
    assert published.attributes["shoal.outbox.wait_ms"] >= 0
    assert (handled.kind, handled.service) == ("CONSUMER", "desk")
    assert handled.attributes["messaging.message.id"] == sent.attributes["messaging.message.id"]
    assert handled.attributes["messaging.destination.name"] == "shop.sold.v1"
    assert handled.attributes["messaging.consumer.group.name"] == "desk"
    assert handled.attributes["shoal.handler"] == "note"
    assert (handled.attributes["shoal.attempt"], handled.attributes["shoal.queue_ms"] >= 0) == (1, True)


async def test_what_did_not_commit_was_not_sent(world: World) -> None:
    assert (await world.post("/sales/nothing", headers=SAMPLED)).status == 500
    spans = Spans(world)
    assert [span.name for span in spans.named("")] == ["POST /sales/{item}"]


async def test_each_attempt_is_a_span_of_its_own(world: World) -> None:
    failing.extend(["tea", "tea"])
    spans = Spans(world)
    await world.post("/sales/tea", headers=SAMPLED)
    first, second, third = await spans.until("process shop.sold.v1", 3)
    assert [one.attributes["shoal.attempt"] for one in (first, second, third)] == [1, 2, 3]
    assert [one.status for one in (first, second, third)] == [2, 2, 0]
    assert len({first.span_id, second.span_id, third.span_id}) == 3
    assert len({first.parent_id, second.parent_id, third.parent_id}) == 1
    assert first.events[0].attributes["exception.message"] == "no pen"


async def test_a_batch_names_every_event_of_it(world: World) -> None:
    spans = Spans(world)
    await world.post("/counts/tea", headers=SAMPLED)
    await world.settle()
    handled = await spans.until("process shop.counted.v1", len(batches))
    sent = {span.span_id for span in spans.named("send shop.counted.v1")}
    named = {span.parent_id for span in handled} | {link for span in handled for _, link in span.links}
    assert len(sent) == 3
    assert named == sent
    assert sum(span.attributes.get("messaging.batch.message_count", 1) for span in handled) == 3


async def test_a_saga_is_one_span_with_its_steps_beneath(world: World) -> None:
    spans = Spans(world)
    await world.post("/sales/tea", headers=SAMPLED)
    (whole,) = await spans.until("saga deliver")
    (request,) = spans.named("POST /sales/{item}")
    steps = spans.named("step ")
    assert whole.parent_id == request.span_id
    assert [one.name for one in steps] == ["step pack", "step send", "step thank"]
    assert {one.parent_id for one in steps} == {whole.span_id}
    assert {one.trace_id for one in (*steps, whole)} == {TRACE}
    assert whole.attributes["shoal.outcome"] == "completed"
    assert steps[0].attributes["shoal.saga.id"] == whole.attributes["shoal.saga.id"]


async def test_a_saga_that_is_undone_tells_its_compensations(world: World) -> None:
    spans = Spans(world)
    await world.post("/sales/lead", headers=SAMPLED)
    (whole,) = await spans.until("saga deliver")
    assert whole.attributes["shoal.outcome"] == "compensated"
    (refused,) = spans.named("step send")
    assert (refused.status, refused.attributes["error.type"]) == (2, "shoal.errors.StepRefused")
    (undone,) = spans.named("compensate pack")
    assert (undone.parent_id, undone.status) == (whole.span_id, 0)


async def test_a_schedule_begins_a_trace(world: World) -> None:
    spans = Spans(world)
    world.clock.advance(3700)
    (run, *_) = await spans.until("run sweep")
    assert run.parent_id == ""
    assert (run.attributes["shoal.schedule"], run.attributes["shoal.attempt"]) == ("sweep", 1)


async def test_what_is_folded_is_recorded_in_portions(world: World) -> None:
    spans = Spans(world)
    await world.post("/sales/tea", headers=SAMPLED)
    (folded,) = await spans.until("project totals")
    assert (folded.service, folded.attributes["shoal.count"]) == ("desk", 1)
    (sent,) = spans.named("send shop.sold.v1")
    assert (folded.parent_id, folded.links) == ("", ((TRACE, sent.span_id),))


async def test_what_was_said_while_an_event_was_handled_belongs_to_its_trace(world: World) -> None:
    spans = Spans(world)
    await world.post("/sales/tea", headers=SAMPLED)
    (handled,) = await spans.until("process shop.sold.v1")
    await world.settle()
    lines = [line for line in logged(world.recorders.values()) if line.message == "shop.sold.v1 ok"]
    assert [(line.trace_id, line.span_id) for line in lines] == [(TRACE, handled.span_id)]


def test_of_a_shared_transaction_only_the_one_at_fault_has_failed() -> None:
    settings = TelemetrySettings.from_environ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    recorder = Recorder(settings, {"service.name": "desk"})
    before = recording.set(recorder)
    try:
        spans = [span for _, span in (opened(begin(), CONSUMER, name) for name in "abc") if span is not None]
        ended(spans, culprit=spans[2], error=ValueError("no pen"))
    finally:
        recording.reset(before)
    found = {span.name: span for span in recorded([recorder])}
    assert {name: span.status for name, span in found.items()} == {"a": 0, "b": 0, "c": 2}
    assert [found[name].attributes.get("shoal.outcome") for name in "abc"] == ["rolled back", "rolled back", None]


@pytest.mark.parametrize(("share", "flags"), [("0", "00"), ("1", "01")])
def test_who_is_asked_on_behalf_of_work_apart_hears_whether_it_is_recorded(share: str, flags: str) -> None:
    settings = TelemetrySettings.from_environ(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": share,
        }
    )
    recorder = Recorder(settings, {"service.name": "desk"})
    before = recording.set(recorder)
    trace = begun()
    apart(trace, "project totals", CONSUMER, 1)
    recording.reset(before)
    assert trace.flags == flags
    assert len(recorded([recorder])) == int(share)
