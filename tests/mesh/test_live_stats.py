"""Envoy counts what goes from whom to whom, under names that stay."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shoal.mesh.stats import Way, pairs, ways
from tests.mesh.samples import TINY, planned
from tests.mesh.wire import ask, eventually_true
from tests.mesh.world import World, everyone, running

pytestmark = [pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with running(TINY) as started, everyone(started):
        yield started


async def counted(world: World) -> dict[tuple[str, str], Way]:
    text = (await ask(world.layout.admin(), "GET /stats", headers={"content-length": "0"})).body.decode()
    return {(way.caller, way.callee): way for way in ways(planned(TINY), text)}


@pytest.mark.live
async def test_each_way_has_its_counters(world: World) -> None:
    for line, status in (("GET /products", 200), ("GET /products/1", 404), ("GET /products/2", 500)):
        assert (await world.edge(line, headers={"x-test-status": str(status)})).status == status
    assert (await world.out("orders", "POST /prices", to="products")).status == 200
    assert (await world.out("orders", "POST /login", to="auth")).status == 403
    assert (await world.edge("GET /orders/1")).status == 401

    async def there() -> bool:
        return (await counted(world))[("orders", "products")].answers_2xx == 1

    await eventually_true(there)
    found = await counted(world)
    edge = found[("gateway", "products")]
    assert (edge.requests, edge.answers_2xx, edge.answers_4xx, edge.answers_5xx) == (3, 1, 1, 1)
    assert found[("orders", "products")].requests == 1
    assert found[("gateway", "orders")].requests == 0, "what the edge refuses never left it"
    assert edge.connections >= 1


async def test_exactly_the_declared_ways_are_counted() -> None:
    assert pairs(planned(TINY)) == (
        ("gateway", "auth"),
        ("gateway", "orders"),
        ("gateway", "products"),
        ("orders", "products"),
    )


async def test_what_was_never_counted_is_nothing() -> None:
    nothing = {
        way.requests for way in ways(planned(TINY), "cluster.gateway.orders.upstream_rq_time: No recorded values\n")
    }
    assert nothing == {0}
