"""Typed clients: how arguments become a request, answers become values, and failures become errors."""

import asyncio
import datetime as dt
import enum
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Protocol

import msgspec
import pytest
from pydantic import BaseModel

from shoal import (
    CallFailed,
    CallRefused,
    CallRejected,
    CallTimedOut,
    Deadline,
    Header,
    Issuer,
    Principal,
    Problem,
    Service,
    System,
    anyone,
    contract,
    delete,
    get,
    internal,
    post,
    signed_in,
)
from tests.runtime.world import World, running


class Colour(enum.Enum):
    RED = "red ü"


class Order(BaseModel):
    name: str


class Echo(msgspec.Struct):
    got: dict[str, Any]


@contract("back")
class BackApi(Protocol):
    @get("/echo/{text}/{colour}", access=internal)
    async def echo(
        self,
        text: str,
        colour: Colour,
        numbers: list[int],
        at: dt.datetime,
        device: Annotated[Colour | None, Header("X-Device")] = None,
        limit: int = 3,
        exact: bool = False,
    ) -> Echo: ...

    @post("/orders", access=internal)
    async def order(self, order: Order, amount: int) -> Order: ...

    @post("/maybe", access=internal)
    async def maybe(self, order: Order | None = None) -> str: ...

    @get("/typed/{number}/{day}/{flag}/{key}", access=internal)
    async def typed(self, number: int, day: dt.date, flag: bool, key: uuid.UUID) -> list[str]: ...

    @delete("/orders/{name}", access=internal)
    async def remove(self, name: str) -> None: ...

    @get("/me", access=signed_in)
    async def me(self) -> str: ...

    @get("/fail/{status}", access=internal)
    async def fail(self, status: int) -> str: ...

    @get("/odd", access=internal)
    async def odd(self) -> int: ...

    @get("/left", access=internal, timeout=4.0)
    async def left(self) -> float: ...

    @get("/never", access=internal, timeout=0.02)
    async def never(self) -> None: ...


back = Service("back", contracts=[BackApi])
front = Service("front")


@back.implements(BackApi.echo)
async def echo(
    text: str,
    colour: Colour,
    numbers: list[int],
    at: dt.datetime,
    device: Annotated[Colour | None, Header("X-Device")] = None,
    limit: int = 3,
    exact: bool = False,
) -> Echo:
    got = {"text": text, "colour": colour, "numbers": numbers, "at": at.isoformat(), "limit": limit, "exact": exact}
    return Echo(got | {"device": device})


@back.implements(BackApi.order)
async def order(order: Order, amount: int) -> Order:
    return Order(name=f"{order.name} {amount}")


@back.implements(BackApi.maybe)
async def maybe(order: Order | None = None) -> str:
    return "none" if order is None else order.name


@back.implements(BackApi.typed)
async def typed(number: int, day: dt.date, flag: bool, key: uuid.UUID) -> list[str]:
    return [str(number), str(day), str(flag), str(key)]


@back.implements(BackApi.remove)
async def remove(name: str) -> None:
    removed.append(name)


@back.implements(BackApi.me)
async def me(principal: Principal) -> str:
    return principal.subject


@back.implements(BackApi.fail)
async def fail(status: int) -> str:
    raise Problem(status, "no-luck", f"as you wished: {status}")


@back.implements(BackApi.odd)
async def odd() -> int:
    return "not a number"  # type: ignore[return-value]


@back.implements(BackApi.left)
async def left(deadline: Deadline) -> float:
    return deadline.remaining()


@back.implements(BackApi.never)
async def never() -> None:
    await asyncio.Event().wait()


@front.get("/api", access=anyone)
async def api(back: BackApi) -> None:
    """Hold on to the client, so that tests can use it as a handler does."""
    held.append(back)


@front.get("/run/{name}", access=anyone, timeout=3.0)
async def run(name: str, back: BackApi) -> Any:
    return await getattr(back, name)()


held: list[Any] = []
removed: list[str] = []
system = System("sys", services=[front, back], issuer=Issuer(front, audience="sys"))
AT = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    held.clear()
    removed.clear()
    async with running(system, tmp_path) as world:
        await world.get("/api")
        yield world


def client() -> BackApi:
    found: BackApi = held[0]
    return found


async def test_arguments_arrive_as_they_were_given(world: World) -> None:
    answer = await client().echo("a/b?c#d %2F;ü", Colour.RED, [1, 2], AT, device=Colour.RED, exact=True)
    assert answer.got == {
        "text": "a/b?c#d %2F;ü",
        "colour": "red ü",
        "numbers": [1, 2],
        "at": AT.isoformat(),
        "limit": 3,
        "exact": True,
        "device": "red ü",
    }
    assert (await client().echo("x", Colour.RED, [], AT)).got["device"] is None
    key = uuid.uuid4()
    assert await client().typed(-1, AT.date(), flag=True, key=key) == ["-1", "2026-01-02", "True", str(key)]


async def test_bodies_travel_both_ways(world: World) -> None:
    assert await client().order(Order(name="a"), amount=2) == Order(name="a 2")
    assert await client().maybe() == "none"
    assert await client().maybe(Order(name="b")) == "b"
    await client().remove("a b")
    assert removed == ["a b"]


@pytest.mark.parametrize("name", ["", ".", ".."])
async def test_a_value_that_would_change_the_path_is_refused(world: World, name: str) -> None:
    before = len(world.calls.seen)
    with pytest.raises(CallRejected, match=r"path parameter name cannot be"):
        await client().remove(name)
    assert len(world.calls.seen) == before


@pytest.mark.parametrize(
    ("args", "kwargs"), [((), {}), (("a", "b"), {}), ((), {"nam": "a"}), (("a",), {"name": "b"}), (("a",), {"x": 1})]
)
async def test_wrong_arguments_are_a_type_error_as_of_a_function(
    world: World, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    method: Any = client().remove
    with pytest.raises(TypeError, match=r"back\.remove\(\) was given wrong arguments"):
        await method(*args, **kwargs)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, CallRejected),
        (404, CallRejected),
        (409, CallRejected),
        (401, CallRefused),
        (403, CallRefused),
        (408, CallTimedOut),
        (504, CallTimedOut),
        (500, CallFailed),
        (501, CallFailed),
    ],
)
async def test_problems_become_errors(world: World, status: int, kind: type[CallFailed]) -> None:
    with pytest.raises(CallFailed) as caught:
        await client().fail(status)
    assert type(caught.value) is kind
    assert (caught.value.target, caught.value.status, caught.value.code) == ("back.fail", status, "no-luck")
    assert caught.value.detail == f"as you wished: {status}"


async def test_an_answer_that_is_not_as_agreed_is_a_failed_call(world: World) -> None:
    with pytest.raises(CallFailed, match="the answer is not as agreed") as caught:
        await client().odd()
    assert caught.value.status == 200


async def test_a_call_that_is_not_answered_in_time_is_ended(world: World) -> None:
    with pytest.raises(CallTimedOut):
        await client().never()
    assert (await world.get("/run/never")).status == 504


async def test_a_call_gets_less_time_than_its_caller_has(world: World) -> None:
    assert (await world.get("/run/left")).json() < 3.0
    sent = world.calls.seen[-1]
    assert sent[4] < 3.0
    assert int(sent[2]["x-envoy-upstream-rq-timeout-ms"]) < 3000
    short = await world.direct("front", "GET", "/run/left", {"x-envoy-expected-rq-timeout-ms": "500"})
    assert short.json() < 0.5
    assert 3.0 < await client().left() <= 4.0


async def test_a_token_is_passed_on_only_to_what_asks_for_one(world: World) -> None:
    token = world.token("ann")
    assert (await world.get("/run/me", token=token)).json() == "ann"
    assert world.calls.seen[-1][2]["authorization"] == f"Bearer {token}"
    assert (await world.get("/run/left", token=token)).status == 200
    assert "authorization" not in world.calls.seen[-1][2]
    assert (await world.get("/run/me")).status == 502


async def test_a_safe_call_is_repeated_and_an_unsafe_one_is_not(world: World) -> None:
    for call, times in ((client().fail(503), 2), (client().fail(500), 1)):
        before = len(world.calls.seen)
        with pytest.raises(CallFailed):
            await call
        assert len(world.calls.seen) - before == times
