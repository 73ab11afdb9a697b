"""The time that is left travels with the request, and is kept."""

import pytest

from tests.mesh.wire import Answer, App, eventually_true
from tests.mesh.world import World

pytestmark = pytest.mark.live

HOLD = {"x-test-hold": "1"}


def budget(answer: Answer) -> int:
    return int(answer.json["headers"]["x-envoy-expected-rq-timeout-ms"])


async def test_the_edge_gives_a_request_its_routes_time(world: World, apps: dict[str, App]) -> None:
    assert budget(await world.edge("GET /products/42")) == 5000
    assert budget(await world.edge("GET /orders/7", headers=world.bearer())) == 500


async def test_a_call_has_its_declared_time_or_what_the_caller_has_left(world: World, apps: dict[str, App]) -> None:
    assert budget(await world.out("orders", "POST /prices", to="products")) == 2000
    left = {"x-envoy-upstream-rq-timeout-ms": "321"}
    answer = await world.out("orders", "POST /prices", to="products", headers=left)
    assert budget(answer) == 321
    assert "x-envoy-upstream-rq-timeout-ms" not in answer.json["headers"]


async def test_a_callers_forwarded_for_does_not_cost_it_its_deadline(world: World, apps: dict[str, App]) -> None:
    headers = {"x-envoy-upstream-rq-timeout-ms": "321", "x-forwarded-for": "10.0.0.1, 10.0.0.2"}
    assert budget(await world.out("orders", "POST /prices", to="products", headers=headers)) == 321


async def test_a_slow_service_becomes_a_timeout_at_the_edge(world: World, apps: dict[str, App]) -> None:
    answer = await world.edge("GET /orders/7", headers=world.bearer() | HOLD)
    assert (answer.status, answer.json["type"]) == (504, "urn:shoal:problem:timeout")
    assert len(apps["orders"].seen) == 1


async def test_a_slow_callee_becomes_a_timeout_for_its_caller(world: World, apps: dict[str, App]) -> None:
    headers = HOLD | {"x-envoy-upstream-rq-timeout-ms": "50"}
    answer = await world.out("orders", "POST /prices", to="products", headers=headers)
    assert (answer.status, answer.json["type"]) == (504, "urn:shoal:problem:timeout")
    assert len(apps["products"].seen) == 1


async def test_the_application_learns_that_nobody_waits_any_more(world: World, apps: dict[str, App]) -> None:
    headers = HOLD | {"x-envoy-upstream-rq-timeout-ms": "50"}
    await world.out("orders", "POST /prices", to="products", headers=headers)

    async def cut() -> bool:
        return apps["products"].hung_up == 1

    await eventually_true(cut)
