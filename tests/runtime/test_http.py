"""Requests through the ASGI door: routing, conversion, problem details, limits, deadlines."""

import asyncio
import datetime as dt
import enum
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from shoal import (
    CallFailed,
    CallTimedOut,
    Conflict,
    Deadline,
    Duplicate,
    Header,
    Page,
    PageRequest,
    Problem,
    Reply,
    Service,
    System,
    Unavailable,
    anyone,
    internal,
)
from shoal.runtime.request import BODY_LIMIT
from tests.runtime.world import World, running

CANARY = "c4n4ry-p4ssw0rd"


class Colour(enum.Enum):
    RED = "red"


class Item(msgspec.Struct, frozen=True, kw_only=True):
    name: Annotated[str, msgspec.Meta(min_length=1)]
    price: Decimal = Decimal(1)


desk = Service("desk")


@desk.get("/items/{number}", access=anyone)
async def item(number: int) -> dict[str, int]:
    return {"number": number}


@desk.get("/items/latest", access=anyone)
async def latest() -> dict[str, str]:
    return {"number": "latest"}


@desk.get("/items/secret", access=internal)
async def secret() -> dict[str, str]:
    return {"secret": CANARY}


@desk.post("/items", access=anyone, status=201)
async def create(item: Item) -> Reply[Item]:
    return Reply(body=item, headers={"Location": f"/items/{item.name}"})


@desk.post("/notes", access=anyone)
async def note(item: Item | None = None) -> str:
    return "empty" if item is None else item.name


@desk.post("/drafts", access=anyone)
async def draft(item: Item = Item(name="default")) -> str:  # noqa: B008 - frozen
    return item.name


@desk.delete("/items/{number}", access=anyone)
async def remove(number: int) -> None:
    return None


@desk.get("/search", access=anyone)
async def search(
    since: dt.date,
    ids: list[uuid.UUID],
    colour: Colour = Colour.RED,
    limit: Annotated[int, msgspec.Meta(ge=1, le=9)] = 3,
    exact: bool = False,
    device: Annotated[str | None, Header("X-Device")] = None,
) -> dict[str, Any]:
    return {"since": since, "ids": ids, "colour": colour, "limit": limit, "exact": exact, "device": device}


@desk.get("/pages/{name}", access=anyone)
async def pages(name: str, page: PageRequest) -> Page[int]:
    return page.of([page.offset], total=99)


FAILURES: dict[str, Exception] = {
    "problem": Problem(409, "sold-out", "none left", extra={"sku": "a"}, headers={"Retry-After": "9"}),
    "no-failure": Problem(200, "fine"),
    "unwritable": Problem(400, "odd", extra={"what": object()}),
    "unsendable": Problem(400, "odd", headers={"X-Odd": "a\r\nSet-Cookie: b"}),
    "conflict": Conflict(f"key {CANARY} exists"),
    "duplicate": Duplicate(f"key {CANARY} exists"),
    "unavailable": Unavailable(f"{CANARY} is away"),
    "call": CallFailed("bank.pay", status=500, detail=CANARY),
    "call-late": CallTimedOut("bank.pay", detail=CANARY),
    "late": TimeoutError(CANARY),
    "unforeseen": ValueError(CANARY),
    "group": ExceptionGroup(CANARY, [ValueError(CANARY)]),
}


@desk.get("/failures/{name}", access=anyone)
async def fail(name: str) -> None:
    raise FAILURES[name]


@desk.get("/slow", access=anyone, timeout=0.02)
async def slow() -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        cancelled.append("slow")
        raise


@desk.get("/left", access=anyone, timeout=4.0)
async def left(deadline: Deadline) -> float:
    return deadline.remaining()


@desk.get("/split", access=anyone)
async def split(to: str) -> Reply[str]:
    return Reply(body="", headers={"Location": to})


@desk.get("/hal", access=anyone)
async def hal() -> Reply[str]:
    return Reply(body="x", status=203, headers={"Content-Type": "application/hal+json"})


cancelled: list[str] = []
system = System("sys", services=[desk])


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(system, tmp_path) as world:
        yield world


async def test_a_literal_path_wins_over_a_template(world: World) -> None:
    assert (await world.get("/items/latest")).json() == {"number": "latest"}
    assert (await world.get("/items/7")).json() == {"number": 7}


@pytest.mark.parametrize("path", ["/", "/items", "/items/", "/items//", "/items/7/8", "/Items/7", "/items/7/"])
async def test_an_unknown_path_is_404(world: World, path: str) -> None:
    for answer in (await world.get(path), await world.direct("desk", "GET", path)):
        if path == "/items":
            assert (answer.status, answer.headers["allow"]) == (405, "POST")
        else:
            assert answer.status == 404
        assert answer.headers["content-type"] == "application/problem+json"


async def test_another_method_is_405_and_told_which_there_are(world: World) -> None:
    for answer in (await world.put("/items/7"), await world.direct("desk", "PUT", "/items/7")):
        assert answer.status == 405
        assert answer.headers["allow"] == "DELETE, GET"


async def test_the_gateway_does_not_lead_to_an_internal_operation_by_the_template_beside_it(world: World) -> None:
    assert (await world.direct("desk", "GET", "/items/secret")).json() == {"secret": CANARY}
    answer = await world.get("/items/secret")
    assert answer.status == 404
    assert CANARY.encode() not in answer.body
    assert (await world.get("/items/%73ecret")).status == 404


async def test_an_encoded_slash_stays_within_its_segment(world: World) -> None:
    answer = await world.get("/pages/a%2Fb%20c?x=1")
    assert answer.status == 200
    assert answer.json()["_links"]["next"].startswith("/pages/a%2Fb%20c?x=1&page=2")
    assert (await world.get("/items%2F7")).status == 404


async def test_answers_have_their_status_headers_and_body(world: World) -> None:
    created = await world.post("/items", json={"name": "a", "price": "1.10"})
    assert (created.status, created.headers["location"]) == (201, "/items/a")
    assert created.json() == {"name": "a", "price": "1.10"}
    removed = await world.delete("/items/7")
    assert (removed.status, removed.body, removed.headers["content-length"]) == (204, b"", "0")
    special = await world.get("/hal")
    assert (special.status, special.headers["content-type"]) == (203, "application/hal+json")


async def test_a_header_with_a_line_break_is_not_sent(world: World) -> None:
    answer = await world.get("/split?to=/a%0D%0ASet-Cookie:%20x")
    assert answer.status == 500
    assert "location" not in answer.headers


BODIES: tuple[tuple[bytes, str, int, str], ...] = (
    (b"{", "application/json", 400, "malformed-body"),
    (b"", "application/json", 400, "malformed-body"),
    (b'{"name":"\xff"}', "application/json", 400, "malformed-body"),
    (b'{"name":"\\ud800"}', "application/json", 400, "malformed-body"),
    (b'{"name":1}', "application/json", 422, "invalid-body"),
    (b'{"name":""}', "application/json", 422, "invalid-body"),
    (b"{}", "application/json", 422, "invalid-body"),
    (b'{"name":"a"}', "text/plain", 415, "unsupported-media-type"),
    (b'{"name":"a"}', "application/jsonp", 415, "unsupported-media-type"),
    (b'{"name":"a"}', "text/html; x=+json", 415, "unsupported-media-type"),
    (b'{"name":"' + b"a" * BODY_LIMIT + b'"}', "application/json", 413, "body-too-large"),
)


@pytest.mark.parametrize(("body", "content_type", "status", "code"), BODIES, ids=range(len(BODIES)))
async def test_a_wrong_body_is_refused(world: World, body: bytes, content_type: str, status: int, code: str) -> None:
    answer = await world.send("POST", "/items", {"content-type": content_type}, body)
    assert (answer.status, answer.json()["type"]) == (status, f"urn:shoal:problem:{code}")


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", "application/vnd.x+json", ""])
async def test_json_has_many_names(world: World, kind: str) -> None:
    headers = {"content-type": kind} if kind else {}
    assert (await world.send("POST", "/items", headers, b'{"name":"a"}')).status == 201


async def test_the_place_of_a_fault_is_told(world: World) -> None:
    assert "`$.name`" in (await world.post("/items", json={"name": 1})).json()["detail"]


async def test_an_optional_body_may_be_left_out(world: World) -> None:
    assert (await world.post("/notes")).json() == "empty"
    assert (await world.post("/notes", json={"name": "a"})).json() == "a"
    assert (await world.post("/drafts")).json() == "default"


async def test_query_and_headers_are_converted(world: World) -> None:
    one, two = uuid.UUID(int=1), uuid.UUID(int=2)
    answer = await world.get(
        f"/search?since=2026-01-02&ids={one}&ids={two}&exact=true&limit=9", headers={"x-device": "m\xfcller"}
    )
    assert answer.json() == {
        "since": "2026-01-02",
        "ids": [str(one), str(two)],
        "colour": "red",
        "limit": 9,
        "exact": True,
        "device": "m\xfcller",
    }


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "query parameter 'since' is missing"),
        ("since=today&ids=", "query parameter 'since'"),
        ("since=2026-01-02&ids=x", "query parameter 'ids'"),
        ("since=2026-01-02&ids=00000000-0000-0000-0000-000000000001&limit=10", "query parameter 'limit'"),
        ("since=2026-01-02&ids=00000000-0000-0000-0000-000000000001&colour=blue", "query parameter 'colour'"),
    ],
)
async def test_a_wrong_query_is_refused_by_name(world: World, query: str, said: str) -> None:
    answer = await world.get(f"/search?{query}")
    assert (answer.status, answer.json()["type"]) == (422, "urn:shoal:problem:invalid-request")
    assert said in answer.json()["detail"]


async def test_a_list_that_is_not_sent_is_empty(world: World) -> None:
    assert (await world.get("/search?since=2026-01-02")).json()["ids"] == []


async def test_a_malformed_query_is_refused(world: World) -> None:
    assert (await world.get("/search?" + "&".join(["a=1"] * 200))).status == 400
    assert (await world.get("/items/x7")).status == 422


@pytest.mark.parametrize("query", ["page=0", "limit=101", "page=x", "page=-1", "limit=%D9%A1", "page=9999999999"])
async def test_a_page_is_asked_for_by_numbers(world: World, query: str) -> None:
    assert (await world.get(f"/pages/a?{query}")).status == 422
    assert (await world.get("/pages/a?page=2&limit=10")).json()["data"] == [10]


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("problem", 409, "sold-out"),
        ("no-failure", 500, "internal-error"),
        ("unwritable", 500, "internal-error"),
        ("unsendable", 500, "internal-error"),
        ("conflict", 409, "conflict"),
        ("duplicate", 409, "conflict"),
        ("unavailable", 503, "unavailable"),
        ("call", 502, "upstream-failed"),
        ("call-late", 504, "timeout"),
        ("late", 504, "timeout"),
        ("unforeseen", 500, "internal-error"),
        ("group", 500, "internal-error"),
    ],
)
async def test_every_failure_is_a_problem_that_leaks_nothing(world: World, name: str, status: int, code: str) -> None:
    answer = await world.get(f"/failures/{name}")
    document = answer.json()
    assert (answer.status, document["status"], document["type"]) == (status, status, f"urn:shoal:problem:{code}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["trace_id"] == answer.trace_id
    assert document["title"]
    assert CANARY.encode() not in answer.body
    assert "Traceback" not in answer.body.decode()


async def test_a_problem_carries_what_its_author_gave_it(world: World) -> None:
    answer = await world.get("/failures/problem")
    assert (answer.json()["sku"], answer.json()["detail"], answer.headers["retry-after"]) == ("a", "none left", "9")
    assert "retry-after" in (await world.get("/failures/unavailable")).headers


async def test_slow_work_is_cancelled_and_answered_504(world: World) -> None:
    cancelled.clear()
    assert (await world.get("/slow")).status == 504
    assert cancelled == ["slow"]


async def test_a_caller_that_waits_less_shortens_the_budget_but_nobody_lengthens_it(world: World) -> None:
    header = "x-envoy-expected-rq-timeout-ms"
    assert (await world.direct("desk", "GET", "/left", {header: "1500"})).json() <= 1.5
    for odd in ("90000", "abc", "-1", "1e9", ""):
        assert 1.5 < (await world.direct("desk", "GET", "/left", {header: odd})).json() <= 4.0
    assert (await world.get("/left", headers={header: "1"})).json() > 1.5


async def test_spent_time_is_not_worked_in(world: World) -> None:
    cancelled.clear()
    answer = await world.direct("desk", "GET", "/slow", {"x-envoy-expected-rq-timeout-ms": "0"})
    assert answer.status == 504
