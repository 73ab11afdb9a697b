"""The mesh's own Envoy does with every call between services what the table says."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shoal.mesh.layout import Pipe
from shoal.model.names import identity
from tests.conformance.edge.runner import Reply
from tests.conformance.mesh import bounds
from tests.conformance.mesh.sample import SAMPLE
from tests.conformance.mesh.scene import Ways
from tests.conformance.mesh.table import Row, cases, run
from tests.mesh.world import World, everyone, running

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.live]

CASES = cases()


def ways(world: World) -> Ways:
    def out(row: Row) -> Pipe:
        return world.layout.outbound(row.caller)  # type: ignore[return-value]

    def door(service: str) -> Pipe:
        return world.layout.inbound(service)  # type: ignore[return-value]

    def name(caller: str) -> str:
        return identity(world.system.name, caller)

    async def front(row: Row) -> Reply:
        found = await world.edge(f"{row.method} {row.path}", headers=row.headers)
        return Reply(status=found.status, headers=found.headers, body=found.body)

    return Ways(root=world.root, name=name, out=out, door=door, front=front)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene() -> AsyncIterator[tuple[Ways, bounds.Apps]]:
    async with running(SAMPLE) as world, everyone(world) as apps:
        yield ways(world), apps


@pytest.mark.parametrize("name", CASES)
async def test_the_mesh_does_as_the_table_says(scene: tuple[Ways, bounds.Apps], name: str) -> None:
    assert await run(CASES[name], scene[0].call) == ()


@pytest.mark.parametrize("bound", bounds.BOUNDS, ids=lambda bound: bound.__name__)
async def test_time_and_bounds(scene: tuple[Ways, bounds.Apps], bound: bounds.Bound) -> None:
    assert await bound(*scene) == ()
