"""Large systems: the configuration grows with the services, and Envoy takes it."""

from pathlib import Path

import pytest

from shoal.local.engines.envoy import validate
from shoal.mesh.bootstrap import STATIC
from shoal.mesh.compile import compile_mesh
from shoal.mesh.layout import layout_for
from tests.mesh.samples import planned, ring
from tests.mesh.test_validate import written
from tests.mesh.world import furnish

LARGE = 200


@pytest.mark.live
async def test_envoy_accepts_a_large_system(short: Path) -> None:
    path = written(furnish(ring(LARGE), short))
    assert path.name == STATIC
    await validate(path)


def test_a_thousand_services_compile_to_a_thousand_times_one() -> None:
    few, many = (compile_mesh(plan, layout_for(plan, root="/r")) for plan in (planned(ring(10)), planned(ring(1000))))
    assert len(many) < len(few) * 100
    assert sum(len(a.text) for a in many) < sum(len(a.text) for a in few) * 100
