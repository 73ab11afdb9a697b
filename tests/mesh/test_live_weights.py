"""Two versions of a service side by side: weights, the header, and a change under load that drops nothing."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from shoal.mesh.compile import compile_mesh
from shoal.model.plan import plan
from shoal.model.rollout import VERSION_HEADER, Override, Split
from shoal.model.target import Target
from tests.mesh.samples import TINY
from tests.mesh.wire import App, asking, eventually_true, more, serving
from tests.mesh.world import World, eventually, everyone, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

GET = "GET /products/42"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    """One mesh for all tests of the file, with two versions of one service."""
    async with running(TINY) as world, everyone(world):
        where = world.layout.replica("products@canary", 0)
        async with serving(App(name="canary"), where):
            world.point("products@canary", where)
            await divide(world, Split(weight=10))
            await eventually(world, f"products@canary::{where.path}::")
            yield world


async def divide(world: World, split: Split | None) -> None:
    """Give Envoy the split as the supervisor does: clusters first, routes when they are known."""
    target = Target(port=world.layout.port, splits={"products": split} if split else {})
    files = [a for a in compile_mesh(plan(world.system, target), world.layout) if a.path[:4] in ("cds/", "rds/")]
    world.write(*(a for a in files if a.path.startswith("cds/")))
    await eventually(world, "products@canary::", gone=split is None)
    world.write(*(a for a in files if a.path.startswith("rds/")))


async def who(world: World, version: str = "") -> str:
    answer = await world.edge(GET, headers={VERSION_HEADER: version} if version else {})
    return str(answer.json["app"]) if answer.status == 200 else f"status {answer.status}"


async def inside(world: World, version: str = "") -> str:
    headers = {VERSION_HEADER: version} if version else {}
    return str((await world.out("orders", "POST /prices", to="products", headers=headers)).json["app"])


async def same(asked: Callable[[], Awaitable[str]], name: str) -> bool:
    """Say whether one answers, however often it is asked."""
    return {await asked() for _ in range(10)} == {name}


async def wholly(world: World, name: str, override: Override = "inside") -> None:
    """Give everything to one version, and wait until edge and services, which learn it apart, have both heard it."""
    await divide(world, Split(weight=100 if name == "canary" else 0, override=override))
    await eventually_true(lambda: same(lambda: who(world), name))
    await eventually_true(lambda: same(lambda: inside(world), name))


async def tally(world: World, count: int) -> Counter[str]:
    return Counter([await who(world) for _ in range(count)])


async def test_requests_are_divided_by_weight(world: World) -> None:
    await divide(world, Split(weight=30))
    found = await tally(world, 300)
    assert set(found) == {"products", "canary"}
    assert 45 <= found["canary"] <= 140, found  # 90 are expected; 6 standard deviations


async def test_only_those_inside_choose_a_version(world: World) -> None:
    await wholly(world, "canary")
    assert {await who(world, "stable") for _ in range(20)} == {"canary"}
    assert await inside(world) == "canary", "weights hold between services too"
    assert await inside(world, "stable") == "products"
    await wholly(world, "products")
    assert {await who(world, "canary") for _ in range(20)} == {"products"}
    assert await inside(world, "canary") == "canary"


async def test_a_version_can_be_opened_to_everyone(world: World) -> None:
    await wholly(world, "canary")
    await wholly(world, "products", override="anyone")
    await eventually_true(lambda: same(lambda: who(world, "canary"), "canary"))
    await wholly(world, "products", override="nobody")
    await eventually_true(lambda: same(lambda: who(world, "canary"), "products"))
    await eventually_true(lambda: same(lambda: inside(world, "canary"), "products"))


async def test_a_change_of_weights_drops_no_request(world: World) -> None:
    await divide(world, Split(weight=10))
    async with asking(lambda: who(world)) as seen:
        for weight in (50.0, 90.0, 100.0):
            await divide(world, Split(weight=weight))
            await more(seen, 30)
        await wholly(world, "canary")
        await wholly(world, "products")
    assert set(seen) == {"products", "canary"}
