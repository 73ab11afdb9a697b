"""What tracing systems told each other on the way is handed on with the trace, wherever that leads."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceState, set_span_in_context

from shoal import Postgres, Service, System, Transaction, anyone, contract, event, internal, post
from shoal.opentelemetry.bridge import TracerProvider
from shoal.runtime.trace import child, resume
from tests.runtime.sagas import Travel
from tests.runtime.world import World, running

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
STATE = "rojo=00f067aa0ba902b7,tenant1@congo=t61rcWkgMzE"


@event("far.done")
class Done(msgspec.Struct, frozen=True):
    name: str


@event("far.told", mode="binary")
class Told(msgspec.Struct, frozen=True):
    name: str


@contract("far")
class FarApi(Protocol):
    @post("/work", access=internal)
    async def work(self) -> None: ...


near = Service("near")
far = Service("far", store=Postgres(), contracts=[FarApi], publishes=[Done, Told])
end = Service("end", store=Postgres())


@near.post("/ask", access=anyone)
async def ask(api: FarApi) -> None:
    await api.work()


@far.implements(FarApi.work)
async def work(tx: Transaction) -> None:
    tx.publish(Done("ann"))


@far.on(Done)
async def told(event: Done, tx: Transaction) -> None:
    tx.publish(Told(event.name))


@end.on(Told)
async def over(event: Told, tx: Transaction) -> None: ...


system = System("sys", services=[near, far, end])


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(system, tmp_path) as world:
        yield world


async def test_it_goes_through_calls_and_events_of_both_modes(world: World) -> None:
    await world.post("/ask", headers={"traceparent": PARENT, "tracestate": STATE})
    await world.settle()
    assert world.calls.seen[0][2]["tracestate"] == STATE
    first, second = world.broker.log("SYS_FAR")
    assert msgspec.json.decode(first.body)["tracestate"] == STATE
    assert second.headers["ce-tracestate"] == STATE


async def test_a_saga_keeps_it_for_its_steps() -> None:
    travel = Travel()
    async with travel.running() as host:
        await travel.begin(host, "a", headers={"traceparent": PARENT, "tracestate": STATE})
        await travel.until("a", "completed")
    assert travel.bank.told["tracestate"] == STATE
    assert travel.bank.told["traceparent"].split("-")[1] == PARENT.split("-")[1]


async def test_several_headers_are_one(world: World) -> None:
    class Twice(dict[str, str]):
        def items(self) -> Any:
            return [("traceparent", PARENT), *(("tracestate", one) for one in STATE.split(","))]

    await world.direct("near", "POST", "/ask", Twice(x=""))
    assert world.calls.seen[0][2]["tracestate"] == STATE


def test_a_span_beneath_one_that_a_library_was_told_of_has_it() -> None:
    far_away = SpanContext(0xAB, 0xCD, is_remote=True, trace_state=TraceState.from_header([STATE]))
    context = set_span_in_context(NonRecordingSpan(far_away))
    begun = TracerProvider().get_tracer("library").start_span("read", context)
    assert begun.get_span_context().trace_state.to_header() == STATE


@pytest.mark.parametrize("headers", [{"tracestate": STATE}, {"traceparent": PARENT, "tracestate": "Ä=1"}])
async def test_without_a_trace_or_malformed_it_ends(world: World, headers: dict[str, str]) -> None:
    await world.post("/ask", headers=headers)
    await world.settle()
    assert "tracestate" not in world.calls.seen[0][2]
    assert "tracestate" not in msgspec.json.decode(world.broker.log("SYS_FAR")[0].body)


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("", ""),
        (" a=1 ,\t, b=2 ", "a=1,b=2"),
        ("a=1,a=2", ""),
        ("A=1", ""),
        ("a=b=c", ""),
        ("a=é", ""),
        ("a=1\r\nx: y", ""),
        (",".join(f"k{n}=1" for n in range(32)), ",".join(f"k{n}=1" for n in range(32))),
        (",".join(f"k{n}=1" for n in range(33)), ""),
        (f"a={'x' * 256},b={'y' * 255},c=1", f"a={'x' * 256},c=1"),
        (",".join(f"k{n}={'v' * 60}" for n in range(20)), ",".join(f"k{n}={'v' * 60}" for n in range(8))),
    ],
)
def test_what_is_malformed_is_left_and_what_is_too_long_is_cut_by_members(given_: str, kept: str) -> None:
    trace = resume(PARENT, given_)
    assert trace.state == kept
    assert child(trace).headers().get("tracestate", "") == kept
    assert resume("00-nonsense", given_).state == ""


members = st.from_regex(r"[a-z][a-z0-9_*/@-]{0,20}=[ -~]{1,150}", fullmatch=True)


@given(st.one_of(st.text(max_size=600), st.lists(members, max_size=34).map(",".join)))
@example(STATE)
def test_whatever_comes_what_goes_on_is_what_the_official_reader_takes(state: str) -> None:
    kept = resume(PARENT, state).state
    assert len(kept) <= 512
    assert kept.isascii()
    assert kept.isprintable()
    assert TraceState.from_header([kept]).to_header() == kept
