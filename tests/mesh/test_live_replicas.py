"""Replicas come and go while requests flow."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from shoal.mesh.layout import Pipe
from tests.mesh.wire import App, asking, eventually_true, serving
from tests.mesh.world import World, eventually

pytestmark = pytest.mark.live


@contextlib.asynccontextmanager
async def replicas(world: World, count: int) -> AsyncIterator[list[App]]:
    """Run replicas of products, without telling Envoy."""
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(serving(App(name=str(i)), place(world, i))) for i in range(count)]


def place(world: World, index: int) -> Pipe:
    return world.layout.replica("products", index)


async def known(world: World, index: int, *, gone: bool = False) -> None:
    await eventually(world, f"products::{place(world, index).path}::", gone=gone)


async def test_replicas_are_added_and_taken_out_unnoticed(world: World) -> None:
    async def ask() -> int:
        return (await world.edge("GET /products")).status

    async with replicas(world, 3) as apps:
        world.point("products", place(world, 0))
        await known(world, 0)
        async with asking(ask) as statuses:
            world.point("products", *(place(world, i) for i in range(3)))
            await eventually_true(lambda: _all_seen(apps))
            world.point("products", place(world, 2))
            await known(world, 0, gone=True)
            before = len(apps[0].seen), len(apps[2].seen)
            await eventually_true(lambda: _more_than(apps[2], before[1] + 20))
    assert set(statuses) == {200}
    assert len(apps[0].seen) <= before[0] + 4  # those that were under way


async def test_a_request_under_way_ends_on_a_replica_that_was_taken_out(world: World) -> None:
    async with replicas(world, 2) as apps:
        world.point("products", place(world, 0))
        await known(world, 0)
        slow = asyncio.create_task(world.edge("GET /products", headers={"x-test-hold": "1"}))
        await eventually_true(lambda: _more_than(apps[0], 0))
        world.point("products", place(world, 1))
        await known(world, 0, gone=True)
        assert (await world.edge("GET /products")).json["app"] == "1"
        apps[0].release.set()
        assert (await slow).json["app"] == "0"


async def test_a_dead_replica_that_envoy_still_lists_is_not_noticed(world: World) -> None:
    async with replicas(world, 1):
        world.point("products", place(world, 0), place(world, 1))
        await known(world, 1)
        for method in ("GET /products", "GET /products/42", "GET /products"):
            for _ in range(10):
                assert (await world.edge(method)).status == 200


async def test_a_request_that_an_application_has_seen_is_not_repeated(world: World, apps: dict[str, App]) -> None:
    answering = asyncio.create_task(world.edge("POST /login", headers={"x-test-hold": "1"}))
    await eventually_true(lambda: _more_than(apps["auth"], 0))
    for writer in tuple(apps["auth"].connections):
        writer.transport.abort()
    assert (await answering).status == 503
    assert len(apps["auth"].seen) == 1


async def test_the_edge_repeats_a_get_whose_policy_says_so(world: World, apps: dict[str, App]) -> None:
    headers = world.bearer() | {"x-test-status": "503"}
    assert (await world.edge("GET /orders/summary", headers=headers)).status == 503
    assert len(apps["orders"].seen) == 3
    assert (await world.edge("POST /orders", headers=headers)).status == 503
    assert len(apps["orders"].seen) == 4


async def _all_seen(apps: list[App]) -> bool:
    return all(app.seen for app in apps)


async def _more_than(app: App, count: int) -> bool:
    return len(app.seen) > count
