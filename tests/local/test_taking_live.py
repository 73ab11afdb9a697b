"""A real Envoy's own word on what was written for it."""

from pathlib import Path

import msgspec
import pytest

from shoal.files import diff
from shoal.local import taking
from shoal.local.admin import admin_of
from shoal.mesh.compile import compile_mesh
from shoal.model.artifact import Artifact
from shoal.model.edge import Edge
from shoal.model.limits import RateLimit
from shoal.model.system import System
from tests.mesh.samples import OPEN_PRODUCTS, PAIR, endpoint, planned
from tests.mesh.world import World, running

pytestmark = pytest.mark.live


def compiled(world: World, system: System) -> list[Artifact]:
    found = compile_mesh(planned(system, port=world.layout.port), world.layout)
    return [artifact for artifact in found if not artifact.path.startswith("eds/")]


async def refused(world: World, system: System) -> tuple[tuple[str, ...], tuple[str, ...]]:
    artifacts = compiled(world, system)
    changed = [entry.path for entry in diff(Path(world.layout.root), artifacts) if entry.change == "changed"]
    before = await taking.before("envoy", admin_of(world.layout), changed)
    world.write(*artifacts)
    return before.changing, await before.refused()


async def test_envoy_says_what_it_takes_and_what_it_refuses() -> None:
    first, *others = OPEN_PRODUCTS.endpoints
    more = msgspec.structs.replace(OPEN_PRODUCTS, endpoints=(first, *others, endpoint("new", "GET", "/new")))
    limit = RateLimit(requests=1, per=60, burst=8, by="everyone", shared=True)
    limited = msgspec.structs.replace(first, edge=Edge(limit=limit))
    shared = msgspec.structs.replace(OPEN_PRODUCTS, endpoints=(limited, *others))
    async with running(PAIR) as world:
        changing, found = await refused(world, msgspec.structs.replace(PAIR, services=(more, *PAIR.services[1:])))
        assert "rds.edge" in changing
        assert found == ()
        _, found = await refused(world, msgspec.structs.replace(PAIR, services=(shared, *PAIR.services[1:])))
        assert "envoy refuses the listeners" in found
        world.lines.clear()  # it has said so in its log, too
