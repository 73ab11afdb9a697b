"""Two versions of a service side by side: weights, the header, and a change under load that drops nothing."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shoal.mesh.compile import compile_mesh
from shoal.model.plan import plan
from shoal.model.rollout import VERSION_HEADER, Split
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


async def inside(world: World, version: str) -> str:
    answer = await world.out("orders", "POST /prices", to="products", headers={VERSION_HEADER: version})
    return str(answer.json["app"])


async def settled(world: World, version: str, *, on: str) -> None:
    """Wait until those inside who ask for a version get another one."""

    async def check() -> bool:
        return await inside(world, version) == on

    await eventually_true(check)


async def tally(world: World, count: int) -> Counter[str]:
    return Counter([await who(world) for _ in range(count)])


async def test_requests_are_divided_by_weight(world: World) -> None:
    await divide(world, Split(weight=30))
    found = await tally(world, 300)
    assert set(found) == {"products", "canary"}
    assert 45 <= found["canary"] <= 140, found  # 90 are expected; 6 standard deviations


async def test_only_those_inside_choose_a_version(world: World) -> None:
    await divide(world, Split(weight=0))
    await settled(world, "canary", on="canary")
    assert await inside(world, "stable") == "products"
    assert {await who(world, "canary") for _ in range(20)} == {"products"}
    await divide(world, Split(weight=100))
    await eventually_true(lambda: _all(world, "canary"))
    assert {await who(world, "stable") for _ in range(20)} == {"canary"}
    unasked = await world.out("orders", "POST /prices", to="products")
    assert unasked.json["app"] == "canary", "weights hold between services too"
    assert await inside(world, "stable") == "products"


async def test_a_version_can_be_opened_to_everyone(world: World) -> None:
    await divide(world, Split(weight=0, override="anyone"))

    async def chosen() -> bool:
        return await who(world, "canary") == "canary"

    await eventually_true(lambda: _all(world, "products"))
    await eventually_true(chosen)
    await divide(world, Split(weight=0, override="nobody"))
    await settled(world, "canary", on="products")
    assert await who(world, "canary") == "products"


async def test_a_change_of_weights_drops_no_request(world: World) -> None:
    await divide(world, Split(weight=10))
    async with asking(lambda: who(world)) as seen:
        for weight in (50.0, 90.0, 100.0):
            await divide(world, Split(weight=weight))
            await more(seen, 30)
        await eventually_true(lambda: _all(world, "canary"))
        await divide(world, Split(weight=0))
        await eventually_true(lambda: _all(world, "products"))
    assert set(seen) == {"products", "canary"}


async def _all(world: World, name: str) -> bool:
    return {await who(world) for _ in range(10)} == {name}
