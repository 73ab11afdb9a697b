"""A system grows while it serves."""

from dataclasses import replace
from pathlib import Path

import pytest

from shoal.mesh.compile import compile_mesh
from shoal.model.system import Gateway, System
from tests.mesh.samples import AUTH, ISSUER, PRODUCTS, TINY, planned
from tests.mesh.wire import App, asking, eventually_true, serving
from tests.mesh.world import World, eventually_served, running

pytestmark = pytest.mark.live

SMALL = System(name="tiny", services=(PRODUCTS, AUTH), gateway=Gateway(issuer=ISSUER))


def grow(world: World) -> None:
    """Make the running mesh that of `TINY`, as the supervisor does."""
    running_services = {service.name for service in world.system.services}
    world.system = TINY
    world.layout = replace(world.layout, services=tuple(service.name for service in TINY.services))
    for directory in world.layout.directories:
        Path(directory).mkdir(parents=True, exist_ok=True)
    world.give_identities(world.root)
    kept = {f"eds/{name}.json" for name in running_services}
    plan = planned(TINY, port=world.layout.port)
    world.write(*(artifact for artifact in compile_mesh(plan, world.layout) if artifact.path not in kept))


async def test_a_service_joins_without_a_restart() -> None:
    async with running(SMALL) as world, serving(App(name="products"), world.layout.replica("products", 0)):
        world.point("products", world.layout.replica("products", 0))
        await eventually_served(world, "products")
        assert (await world.edge("GET /orders/7", headers=world.bearer())).status == 404

        async def ask() -> int:
            return (await world.edge("GET /products")).status

        async with serving(App(name="orders"), world.layout.replica("orders", 0)), asking(ask) as meanwhile:
            grow(world)
            world.point("orders", world.layout.replica("orders", 0))

            async def joined() -> bool:
                return (await world.edge("GET /orders/7", headers=world.bearer())).status == 200

            async def asks() -> bool:
                try:
                    return bool((await world.out("orders", "POST /prices", to="products")).json["app"] == "products")
                except FileNotFoundError:  # listeners come one after the other
                    return False

            await eventually_true(joined)
            await eventually_true(asks)
        assert set(meanwhile) == {200}, "a request was dropped while everything was read again"
