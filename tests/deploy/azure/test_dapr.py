"""Dapr runs beside apps where an environment asks for it, and asks only apps that somebody may call."""

import re

import pytest

from shoal.deploy.azure.settings import Environment
from shoal.model.service import Service
from shoal.model.system import System
from tests.deploy.azure.samples import artifacts
from tests.deploy.samples import CAFE, shop

BESIDE = Environment(name="beside", gateway="Developer_1", dapr=True)
ALONE = System(name="quiet", services=(Service(name="alone", entry="quiet:alone"),))


def written(system: System, environment: Environment, ending: str) -> str:
    (found,) = (one.text for one in artifacts(system, environment) if one.path.endswith(ending))
    return found


def test_it_is_there_where_it_is_asked_for_and_nowhere_else() -> None:
    plain = Environment(name="beside", gateway="Developer_1")
    for service in shop().services:
        for ending in (f"/service-{service.name}.tf", f"/service-{service.name}.bicep"):
            assert "dapr" in written(shop(), BESIDE, ending)
            assert "dapr" not in written(shop(), plain, ending)


def test_it_asks_an_app_that_somebody_calls_and_no_other() -> None:
    assert re.search(r'dapr {\n +app_id +\= "till"\n +app_port +\= 8080', written(CAFE, BESIDE, "/service-till.tf"))
    assert re.search(r"appId: 'till'\n +appPort: 8080", written(CAFE, BESIDE, "/service-till.bicep"))
    assert re.search(r'dapr {\n +app_id = "alone"\n +}', written(ALONE, BESIDE, "/service-alone.tf"))
    assert "appPort" not in written(ALONE, BESIDE, "/service-alone.bicep")


def test_a_cluster_has_it_by_other_means() -> None:
    with pytest.raises(ValueError, match="extension"):
        Environment(name="cluster", compute="kubernetes", dapr=True)
