"""Breakers around real calls: what trips them, what answers instead, and who can see it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol, cast

import msgspec
import pytest

from shoal import (
    CallFailed,
    CallRejected,
    CallTimedOut,
    CircuitOpen,
    Issuer,
    Principal,
    Problem,
    Service,
    StandIn,
    System,
    anyone,
    contract,
    fallbacks,
    get,
    internal,
    post,
    signed_in,
)
from shoal.errors import DeclarationError
from shoal.model.breaker import Breaker
from shoal.model.plan import plan
from shoal.model.system import from_json, to_json
from shoal.model.target import MEMORY
from shoal.service.describe import describe
from tests.runtime.world import World, running


class Price(msgspec.Struct):
    sku: str
    amount: int


@contract("shelf")
class ShelfApi(Protocol):
    @get("/prices/{sku}", access=internal, attempts=1)
    async def price(self, sku: str, many: int = 1) -> Price: ...

    @get("/mine", access=signed_in, attempts=1)
    async def mine(self) -> str: ...

    @post("/orders/{sku}", access=internal)
    async def order(self, sku: str) -> Price: ...


@contract("stall")
class StallApi(Protocol):
    @get("/a", access=internal, attempts=1)
    async def a(self) -> str: ...

    @get("/b", access=internal, attempts=1)
    async def b(self) -> str: ...


shelf = Service("shelf", contracts=[ShelfApi])
stall = Service("stall", contracts=[StallApi])
front = Service("front")
front.breaker(ShelfApi.order, volume_threshold=2, reset_timeout=60, timeout=0.5)
front.breaker(ShelfApi.mine, volume_threshold=1, cached=60)
front.breaker(StallApi, volume_threshold=2, error_threshold=100)


class Mood:
    """How the callees feel."""

    def __init__(self) -> None:
        self.status = 200
        self.gate: asyncio.Event | None = None
        self.asked = 0

    async def answer(self, text: str) -> str:
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.status != 200:
            raise Problem(self.status, "no-luck")
        return text


DECLARED = ("@front.fallback(ShelfApi.price", "front.breaker(StallApi,")

mood = Mood()
held: list[Any] = []


@shelf.implements(ShelfApi.price)
async def price(sku: str, many: int = 1) -> Price:
    return Price(await mood.answer(sku), 7 * many)


@shelf.implements(ShelfApi.mine)
async def mine(principal: Principal) -> str:
    return await mood.answer(principal.subject)


@shelf.implements(ShelfApi.order)
async def order(sku: str) -> Price:
    return Price(await mood.answer(sku), 1)


@stall.implements(StallApi.a)
async def a() -> str:
    return await mood.answer("a")


@stall.implements(StallApi.b)
async def b() -> str:
    return await mood.answer("b")


@front.fallback(ShelfApi.price, volume_threshold=4, reset_timeout=5, cached=20)
async def unpriced(sku: str, many: int = 1) -> Price:
    return Price(sku, -many)


@front.get("/hold", access=anyone)
async def hold(shelf: ShelfApi, stall: StallApi) -> None:
    held[:] = [shelf, stall]


@front.get("/show-mine")
async def show_mine(shelf: ShelfApi) -> list[str]:
    with fallbacks() as used:
        name = await shelf.mine()
    return [name, *(each.kind for each in used)]


@front.get("/order", access=anyone)
async def show_order(shelf: ShelfApi) -> Price:
    return await shelf.order("x")


system = System("sys", services=[front, shelf, stall], issuer=Issuer(front, audience="sys"))


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    mood.__init__()  # type: ignore[misc]
    async with running(system, tmp_path) as world:
        await world.get("/hold")
        yield world


def shelf_client() -> ShelfApi:
    found: ShelfApi = held[0]
    return found


async def samples(world: World) -> dict[str, str]:
    text = (await world.direct("front", "GET", "/metrics")).body.decode()
    found = {}
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        found[name] = value
    return found


async def trip(world: World) -> None:
    mood.status = 500
    for _ in range(4):
        assert (await shelf_client().price("lost")).amount == -1
    assert (await samples(world))['shoal_circuit_state{shoal_circuit="shelf.price"}'] == "2"


async def test_an_open_circuit_asks_nobody_until_one_call_has_seen_that_it_is_over(world: World) -> None:
    await trip(world)
    asked = mood.asked
    assert (await shelf_client().price("a", many=3)).amount == -3
    assert mood.asked == asked
    mood.status, mood.gate = 200, asyncio.Event()
    world.clock.advance(5.1)
    probe = asyncio.create_task(shelf_client().price("a"))
    while mood.asked == asked:  # noqa: ASYNC110 - the callee notes it when it is asked
        await asyncio.sleep(0)
    assert [(await shelf_client().price("a")).amount for _ in range(3)] == [-1] * 3
    assert mood.asked == asked + 1
    mood.gate.set()
    assert (await probe).amount == 7
    assert (await shelf_client().price("b")).amount == 7


async def test_turns_are_logged_once_each(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "shoal.circuit"):
        await trip(world)
        mood.status = 200
        world.clock.advance(6)
        await shelf_client().price("a")
    assert [r.getMessage() for r in caplog.records if r.name == "shoal.circuit"] == [
        "circuit shelf.price is open",
        "circuit shelf.price is half-open",
        "circuit shelf.price is closed",
    ]


async def test_every_answer_that_stood_in_is_logged_with_its_call(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "shoal.fallback"):
        await shelf_client().price("a")
        assert not caplog.records, "a good answer is no news"
        mood.status = 500
        await shelf_client().price("a")
        await shelf_client().price("b")
    told = [vars(record) for record in caplog.records if record.name == "shoal.fallback"]
    assert [(t["call"], t["fallback"], t["failure"]) for t in told] == [
        ("shelf.price", "cached", "CallFailed"),
        ("shelf.price", "default", "CallFailed"),
    ]


async def test_the_caller_sees_what_stood_in_and_readiness_does_not_care(world: World) -> None:
    assert (await shelf_client().price("kept")).amount == 7
    mood.status = 503
    with fallbacks() as outer:
        with fallbacks() as used:
            found = await asyncio.gather(shelf_client().price("kept"), shelf_client().price("new"))
        await shelf_client().price("other")
    assert [each.amount for each in found] == [7, -1]
    assert [(u.call, u.kind) for u in used] == [("shelf.price", "cached"), ("shelf.price", "default")]
    assert len(outer) == 3
    assert isinstance(used[0], StandIn)
    assert "503" in used[0].reason
    await trip(world)
    shown = await samples(world)
    assert shown['shoal_fallbacks_total{shoal_call="shelf.price",shoal_fallback="cached"}'] == "1"
    assert shown['shoal_circuit_turns_total{shoal_circuit="shelf.price",shoal_circuit_state="open"}'] == "1"
    assert (await world.direct("front", "GET", "/ready")).status == 200


async def test_an_answer_is_kept_for_its_question_and_its_time(world: World) -> None:
    kept = await shelf_client().price("kept", many=2)
    kept.amount = 0
    mood.status = 500
    with fallbacks() as used:
        assert (await shelf_client().price("kept", many=2)).amount == 14
        assert (await shelf_client().price("kept", many=3)).amount == -3
        world.clock.advance(20.5)
        assert (await shelf_client().price("kept", many=2)).amount == -2
    assert [each.kind for each in used] == ["cached", "default", "default"]


async def test_what_is_kept_for_one_principal_answers_no_other(world: World) -> None:
    ann = world.token("ann")
    assert (await world.get("/show-mine", token=ann)).json() == ["ann"]
    mood.status = 500
    assert (await world.get("/show-mine", token=ann)).json() == ["ann", "cached"]
    bob = await world.get("/show-mine", token=world.token("bob"))
    assert bob.status == 503
    assert bob.headers["retry-after"] == "30"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 422, 429])
async def test_a_refusal_trips_nothing_and_is_not_covered_up(world: World, status: int) -> None:
    mood.status = status
    for _ in range(8):
        with pytest.raises(CallFailed) as caught:
            await shelf_client().price("a")
        assert caught.value.status == status
    assert (await samples(world))['shoal_circuit_state{shoal_circuit="shelf.price"}'] == "0"
    assert (await samples(world))[
        'shoal_circuit_calls_total{shoal_circuit="shelf.price",shoal_outcome="refused"}'
    ] == "8"


async def test_timeouts_and_absence_trip_it(world: World, caplog: pytest.LogCaptureFixture) -> None:
    mood.gate = asyncio.Event()
    with pytest.raises(CallTimedOut, match=r"no answer within 0\.[45]"):
        await shelf_client().order("a")
    del world.calls.applications["shelf"]
    with pytest.raises(CallFailed, match="does not run"):
        await shelf_client().order("a")
    with caplog.at_level("INFO", "shoal.circuit"), pytest.raises(CircuitOpen) as caught:
        await shelf_client().order("a")
    told = vars(caplog.records[-1])
    assert (told["call"], told["failure"]) == ("shelf.order", "CircuitOpen"), "for who catches it, and for shoal why"
    assert 59 < caught.value.after <= 60
    answer = await world.get("/order")
    assert (answer.status, answer.headers["retry-after"]) == (503, "60")


async def test_one_circuit_for_all_of_a_contract(world: World) -> None:
    api: StallApi = held[1]
    mood.status = 500
    for call in (api.a, api.b):
        with pytest.raises(CallFailed, match="500"):
            await call()
    for call in (api.a, api.b):
        with pytest.raises(CircuitOpen):
            await call()
    assert (await shelf_client().price("a")).amount == -1
    assert (await samples(world))['shoal_circuit_state{shoal_circuit="stall"}'] == "2"


async def test_a_call_that_nobody_waits_for_counts_for_nothing(world: World) -> None:
    mood.gate = asyncio.Event()
    for _ in range(6):
        call = asyncio.create_task(shelf_client().price("a"))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait([call])
    found = await samples(world)
    assert found['shoal_circuit_state{shoal_circuit="shelf.price"}'] == "0"
    assert found['shoal_circuit_calls_total{shoal_circuit="shelf.price",shoal_outcome="abandoned"}'] == "6"


def test_the_plan_carries_it_through_json() -> None:
    declared = describe(system)
    assert from_json(to_json(declared)) == declared
    calls = {f"{c.service}.{c.endpoint}": c.breaker for c in plan(declared, MEMORY).service("front").calls}
    lines = Path(__file__).read_text("utf-8").splitlines()
    price, whole = (next(n for n, line in enumerate(lines, 1) if line.startswith(text)) for text in DECLARED)
    at = f"tests/runtime/test_breakers.py:{price}"
    kept = Breaker(circuit="shelf.price", volume_threshold=4, reset_timeout=5, cached=20, source=at)
    assert calls["shelf.price"] == msgspec.structs.replace(kept, fallback="unpriced", fallback_source=at)
    at = f"tests/runtime/test_breakers.py:{whole}"
    stall = Breaker(circuit="stall", volume_threshold=2, error_threshold=100, source=at)
    assert calls["stall.a"] == calls["stall.b"] == stall


async def _other(name: str) -> Price:
    return Price(name, 0)


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda s: s.breaker(ShelfApi.price, volume_threshold=0), "volume_threshold=0"),
        (lambda s: s.breaker(ShelfApi.price, volum_threshold=1), "unknown option 'volum_threshold'"),
        (lambda s: s.breaker(ShelfApi.order, cached=5), "cannot stand in for doing it again"),
        (lambda s: s.breaker(StallApi, cached=5), "for the one operation"),
        (lambda s: s.breaker(price), "is no operation of a contract"),
        (lambda s: s.fallback(ShelfApi.price)(_other), r"takes \(name\)"),
        (lambda s: [s.breaker(StallApi), s.breaker(StallApi)], "declared twice"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(declare: Any, message: str) -> None:
    with pytest.raises(DeclarationError, match=message) as caught:
        declare(Service("odd"))
    assert "test_breakers.py:" in str(caught.value)


idle = Service("idle")
idle.breaker(ShelfApi, volume_threshold=1)


def test_a_breaker_around_nothing_is_refused() -> None:
    with pytest.raises(DeclarationError, match="which it never calls"):
        describe(System("idle-system", services=[idle, shelf]))


def test_a_fallback_of_another_type_is_refused() -> None:
    odd = Service("odd")

    @odd.fallback(cast("Any", ShelfApi.price))
    async def unpriced(sku: str, many: int = 1) -> int:
        return many

    @odd.get("/odd", access=anyone)
    async def used(shelf: ShelfApi) -> None:
        await shelf.order("x")

    globals()["odd"] = odd
    with pytest.raises(DeclarationError, match=r"fallback of shelf.price answers int, not Price") as caught:
        describe(System("odd-system", services=[odd, shelf]))
    assert "test_breakers.py:" in caught.value.where


async def test_a_callee_that_takes_most_of_its_own_time_is_at_fault(world: World) -> None:
    mood.gate = asyncio.Event()
    short = {"x-envoy-expected-rq-timeout-ms": "400"}
    for _ in range(2):
        assert (await world.direct("front", "GET", "/order", short)).status == 504
    found = await samples(world)
    assert found['shoal_circuit_calls_total{shoal_circuit="shelf.order",shoal_outcome="failed"}'] == "2"
    assert found['shoal_circuit_state{shoal_circuit="shelf.order"}'] == "2"


@pytest.mark.parametrize("milliseconds", ["0", "1", "30", "200"])
async def test_a_call_without_time_is_no_fault_of_the_callee(world: World, milliseconds: str) -> None:
    mood.gate = asyncio.Event()
    short = {"x-envoy-expected-rq-timeout-ms": milliseconds}
    for _ in range(3):
        assert (await world.direct("front", "GET", "/order", short)).status == 504
    found = await samples(world)
    assert found['shoal_circuit_calls_total{shoal_circuit="shelf.order",shoal_outcome="failed"}'] == "0"
    assert found['shoal_circuit_state{shoal_circuit="shelf.order"}'] == "0"
    mood.gate = None
    mood.status = 404
    with pytest.raises(CallRejected):
        await shelf_client().order("a")
