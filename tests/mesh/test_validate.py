"""Envoy itself accepts what is generated, listener by listener."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from shoal.errors import EngineError
from shoal.local.engines.envoy import validate
from shoal.mesh.bootstrap import STATIC
from shoal.mesh.compile import compile_static
from shoal.model.cors import Cors
from shoal.model.edge import Edge
from shoal.model.legacy import Legacy, LegacyRoute
from shoal.model.shaping import Headers, Query, Transform
from shoal.model.system import Gateway, System
from shoal.model.versioning import Version
from tests.mesh.samples import PAIR, TINY, endpoint, planned, ring, service
from tests.mesh.world import World, furnish

pytestmark = pytest.mark.live

_SHAPED = Transform(path="/coupons/{code}", request=Headers(set={"x-new": "1"}), query=Query(set={"new": "1"}))
_OLD = (
    LegacyRoute(name="shadowed", path="/coupons/{code}", state="shadow"),
    LegacyRoute(name="shifted", path="/rebates/{code}", state="shift", weight=10.0),
    LegacyRoute(name="alone", path="/old/{page}"),
)
TAKEN_OVER = System(
    name="taken-over",
    services=(
        service(
            "coupons",
            replace(endpoint("coupon", "GET", "/vouchers/{code}"), edge=Edge(transform=_SHAPED)),
            replace(
                endpoint("rebate", "GET", "/v1/rebates/{code}"),
                edge=Edge(version=Version(number=1, path="/rebates/{code}")),
            ),
        ),
    ),
    gateway=Gateway(legacy=(Legacy(name="old", port=1, routes=_OLD),), cors=Cors(origins=("https://shop.example",))),
)
"""Paths of an old application that the service knows otherwise than clients do."""


def written(world: World) -> Path:
    world.write(compile_static(planned(world.system), world.layout))
    return Path(world.layout.path(STATIC))


@pytest.mark.parametrize("system", [PAIR, TINY, ring(5), TAKEN_OVER], ids=lambda system: system.name)
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
