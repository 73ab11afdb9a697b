"""Envoy itself accepts what is generated, listener by listener."""

import json
from pathlib import Path

import pytest

from shoal.errors import EngineError
from shoal.local.engines.envoy import validate
from shoal.mesh.bootstrap import STATIC
from shoal.mesh.compile import compile_static
from shoal.model.system import System
from tests.mesh.samples import PAIR, TINY, planned, ring
from tests.mesh.world import World, furnish

pytestmark = pytest.mark.live


def written(world: World) -> Path:
    world.write(compile_static(planned(world.system), world.layout))
    return Path(world.layout.path(STATIC))


@pytest.mark.parametrize("system", [PAIR, TINY, ring(5)], ids=lambda system: system.name)
async def test_envoy_accepts_the_whole_configuration(system: System, short: Path) -> None:
    await validate(written(furnish(system, short)))


async def test_validation_looks_into_routes(short: Path) -> None:
    path = written(furnish(PAIR, short))
    content = json.loads(path.read_text("utf-8"))
    chain = content["static_resources"]["listeners"][0]["filter_chains"][0]
    manager = chain["filters"][0]["typed_config"]
    found = manager["route_config"]["virtual_hosts"][0]["routes"]
    next(entry["route"] for entry in found if "route" in entry)["cluster"] = "nowhere"
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(EngineError, match="nowhere"):
        await validate(path)
