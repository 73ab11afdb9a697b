"""A second version sees what the first one is asked, and nobody sees its answers."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from msgspec.structs import replace

from shoal.errors import DeclarationError
from shoal.model.rollout import Split
from shoal.model.service import Call
from tests.mesh.samples import AUTH, ORDERS, PRODUCTS, TINY
from tests.mesh.test_live_weights import divide
from tests.mesh.wire import App, eventually_true, serving
from tests.mesh.world import World, eventually, everyone, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

READING = replace(ORDERS, calls=(*ORDERS.calls, Call(service="products", endpoint="secret")))
SYSTEM = replace(TINY, services=(PRODUCTS, READING, AUTH))
"""In which one service also asks another by GET."""


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="both")
async def start() -> AsyncIterator[tuple[World, App, App]]:
    async with running(SYSTEM) as world, everyone(world) as apps:
        where = world.layout.replica("products@canary", 0)
        async with serving(App(name="canary"), where) as canary:
            world.point("products@canary", where)
            await divide(world, Split(weight=0, mirror=100))
            await eventually(world, f"products@canary::{where.path}::")

            async def copied() -> bool:
                await world.edge("GET /products")
                return bool(canary.seen)

            await eventually_true(copied)
            yield world, apps["products"], canary


async def asked(app: App, path: str, count: int) -> None:
    """Wait until an application was asked so often."""

    async def often() -> bool:
        return len([request for request in app.seen if request.path == path]) >= count

    await eventually_true(often)


async def test_a_get_is_copied_and_its_copy_is_never_the_answer(both: tuple[World, App, App]) -> None:
    world, first, second = both
    for _ in range(20):
        assert (await world.edge("GET /products/42")).json["app"] == "products"
    await asked(second, "/products/42", 20)
    assert len([r for r in first.seen if r.path == "/products/42"]) == 20


async def test_a_get_between_services_is_copied_alike(both: tuple[World, App, App]) -> None:
    world, first, second = both
    for _ in range(20):
        answer = await world.out("orders", "GET /products/secret", to="products")
        assert (answer.status, answer.json["app"]) == (200, "products")
    await asked(second, "/products/secret", 20)
    for app in (first, second):
        assert len([r for r in app.seen if r.path == "/products/secret"]) == 20, app.name


async def test_a_copy_that_fails_is_not_noticed(both: tuple[World, App, App]) -> None:
    world, _, second = both
    for writer in tuple(second.connections):
        writer.transport.abort()
    assert [(await world.edge("GET /products/7")).status for _ in range(5)] == [200] * 5


async def test_what_changes_something_is_never_copied(both: tuple[World, App, App]) -> None:
    world, first, second = both
    await world.out("orders", "POST /prices", to="products")
    await world.edge("DELETE /products/13", headers=world.bearer())
    await world.edge("GET /products/last")
    await asked(second, "/products/last", 1)
    assert {request.method for request in second.seen} == {"GET"}
    assert {request.method for request in first.seen} == {"GET", "POST", "DELETE"}


async def test_copies_of_more_than_everything_are_refused() -> None:
    with pytest.raises(DeclarationError, match="101"):
        Split(mirror=101)
