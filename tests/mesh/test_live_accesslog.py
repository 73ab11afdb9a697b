"""Every hop writes a line for each request; lines of one request share its ids, refusals name their trace."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.mesh.samples import TINY
from tests.mesh.wire import eventually_true
from tests.mesh.world import World, everyone, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with running(TINY) as started, everyone(started):
        yield started


async def lines(world: World, count: int, **wanted: object) -> list[dict[str, Any]]:
    """Wait for so many lines with the wanted fields."""
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        everything = [json.loads(line) for line in world.access_log().splitlines()]
        found[:] = [line for line in everything if all(line[name] == value for name, value in wanted.items())]
        return len(found) >= count

    await eventually_true(there)
    assert len(found) == count, found
    return found


async def test_each_hop_writes_a_line_under_the_same_ids(world: World) -> None:
    answer = await world.edge("GET /products/42?card=4111", headers={"traceparent": PARENT, "authorization": "s3cret"})
    request_id = answer.json["headers"]["x-request-id"]
    found = {line["hop"]: line for line in await lines(world, 2, request_id=request_id)}
    edge, inbound = found["edge"], found["inbound.products"]
    for line in (edge, inbound):
        assert (line["method"], line["path"], line["status"]) == ("GET", "/products/42", 200)
        assert (line["route"], line["trace_id"], line["details"]) == ("products.get", TRACE, "via_upstream")
    assert (edge["cluster"], inbound["cluster"]) == ("gateway.products", "products")
    assert (edge["caller"], inbound["caller"]) == (None, "spiffe://tiny/gateway")
    text = world.access_log()
    assert "4111" not in text
    assert "s3cret" not in text


async def test_a_trace_begins_at_the_edge_where_the_client_names_none(world: World) -> None:
    headers = (await world.edge("GET /products/41")).json["headers"]
    version, trace_id, span, flags = headers["traceparent"].split("-")
    assert (version, len(trace_id), len(span), flags) == ("00", 32, 16, "01")
    assert headers["x-trace-id"] == trace_id
    assert len(await lines(world, 2, trace_id=trace_id)) == 2


async def test_a_trace_of_the_client_is_continued_and_not_forged(world: World) -> None:
    headers = (await world.edge("GET /products/40", headers={"traceparent": PARENT, "x-trace-id": "forged"})).json[
        "headers"
    ]
    assert headers["x-trace-id"] == headers["traceparent"].split("-")[1] == TRACE


async def test_a_client_that_records_nothing_is_believed(world: World) -> None:
    headers = (await world.edge("GET /products/40", headers={"traceparent": f"{PARENT[:-2]}00"})).json["headers"]
    assert headers["traceparent"].startswith(f"00-{TRACE}-")
    assert headers["traceparent"].endswith("-00")


async def test_every_trace_is_another_and_leaves_nothing_but_its_names(world: World) -> None:
    seen = [(await world.edge("GET /products/38")).json["headers"] for _ in range(20)]
    pairs = {(one["x-trace-id"], one["traceparent"].split("-")[2]) for one in seen}
    assert len({trace for trace, _ in pairs}) == len({span for _, span in pairs}) == 20
    assert not [name for one in seen for name in one if name.startswith("x-shoal-")]


MALFORMED = (
    "",
    '"',
    "00-" + "0" * 32 + "-b7ad6b7169203331-01",
    f"00-{TRACE}-{'0' * 16}-01",
    f"ff-{TRACE}-b7ad6b7169203331-01",
    PARENT.upper(),
    f"{PARENT}-more",
    f"{PARENT}\xe4",
    "\xff\xfe",
    "x" * 3000,
)


@pytest.mark.parametrize("parent", MALFORMED)
async def test_a_malformed_trace_is_nobodys(world: World, parent: str) -> None:
    answer = await world.edge("GET /products/39", headers={"traceparent": parent, "x-trace-id": "forged"})
    headers = answer.json["headers"]
    trace = headers["x-trace-id"]
    assert re.fullmatch("[0-9a-f]{32}", trace)
    assert trace != TRACE
    assert re.fullmatch(f"00-{trace}-[0-9a-f]{{16}}-01", headers["traceparent"])
    (line, other) = await lines(world, 2, request_id=headers["x-request-id"])
    assert line["traceparent"] == other["traceparent"] == headers["traceparent"]


@pytest.mark.parametrize(("line", "status"), [("GET /orders/7", 401), ("GET /nowhere", 404), ("PUT /products/42", 405)])
async def test_what_the_edge_refuses_names_its_trace(world: World, line: str, status: int) -> None:
    document = (await world.edge(line)).json
    (logged,) = await lines(world, 1, trace_id=document["trace_id"])
    assert (document["status"], logged["status"], logged["hop"]) == (status, status, "edge")


async def test_what_is_refused_between_services_names_its_trace(world: World) -> None:
    answer = await world.out("orders", "POST /login", to="auth", headers={"x-trace-id": "t-1"})
    assert (answer.status, answer.json["trace_id"]) == (403, "t-1")
    (logged,) = await lines(world, 1, trace_id="t-1")
    assert (logged["hop"], logged["route"], logged["status"]) == ("outbound.orders", "undeclared", 403)


async def test_a_call_between_services_is_logged_where_it_leaves_and_where_it_arrives(world: World) -> None:
    assert (await world.out("orders", "POST /prices", to="products", headers={"x-trace-id": "t-2"})).status == 200
    found = {line["hop"]: line for line in await lines(world, 2, trace_id="t-2")}
    assert found.keys() == {"outbound.orders", "inbound.products"}
    assert found["outbound.orders"]["cluster"] == "orders.products"
    assert found["inbound.products"]["caller"] == "spiffe://tiny/orders"


async def test_a_request_without_any_sense_is_logged_too(world: World) -> None:
    answer = await world.edge("GET /products", headers={"x_user": "root"})
    assert (answer.status, "trace_id" in answer.json) == (400, False)
    (logged,) = await lines(world, 1, details="http1.unexpected_underscore")
    assert (logged["request_id"], logged["path"], logged["flags"]) == (None, None, "DPE")
