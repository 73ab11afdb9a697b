"""What a second region costs: a group of its own, in which nothing runs and nothing of the first is counted twice."""

from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace

from shoal.cost.cloud import SECOND
from shoal.cost.clouds import CLOUDS
from shoal.cost.estimate import Estimate, priced
from shoal.cost.month import Month
from shoal.cost.prices import packaged
from shoal.cost.usage import Usage, exactly
from shoal.deploy.cloud.settings import Standby
from tests.deploy.azure.samples import FAR as AZURE
from tests.deploy.gcp.samples import FAR as GOOGLE
from tests.deploy.samples import shop

FAR: dict[str, Any] = {
    "azure": replace(AZURE, region="westeurope", standby=Standby(region="northeurope")),
    "gcp": replace(GOOGLE, region="europe-west1", standby=Standby(region="europe-west3")),
}
"""Between regions of which there are prices."""

RUNNING = ("run.cpu", "containerapps.cpu", "run.asked")
every = pytest.mark.parametrize("name", FAR)


@cache
def bill(name: str, *, second: bool, requests: int = 1_000_000) -> Estimate:
    cloud, wanted = CLOUDS[name], FAR[name].standby if second else None
    environment = replace(FAR[name], standby=wanted)
    plan = cloud.plan(shop(), environment)
    month = Month(plan, Usage(requests=exactly(requests)))
    return priced(cloud.items(cloud.resources(plan, environment), month), packaged(name, environment.region))


@every
def test_it_is_a_group_of_its_own_in_which_nothing_runs(name: str) -> None:
    lines = bill(name, second=True).of(SECOND)
    assert {"PostgreSQL storage", "copying to the second region"} <= {line.item.component for line in lines}
    assert not [line for line in lines if line.item.price.startswith(RUNNING)]
    assert not bill(name, second=False).of(SECOND)


@every
def test_it_is_billed_where_it_is(name: str) -> None:
    found = bill(name, second=True)
    assert {line.item.region for line in found.of(SECOND)} == {FAR[name].standby.region}
    assert {table.region for table in found.others} == {FAR[name].standby.region}


@every
def test_what_services_do_in_the_first_region_costs_the_same(name: str) -> None:
    alone, both = bill(name, second=False), bill(name, second=True)
    for price in ("run.cpu.hour", "containerapps.cpu.hour", "logs.gb", "egress.gb", "pubsub.gb"):
        amounts = [
            sum(line.item.amount.expected for line in found.lines if line.item.price == price)
            for found in (alone, both)
        ]
        assert amounts[0] == amounts[1], price


@every
def test_it_costs_more_than_none_and_what_grows_with_requests_is_the_copying_alone(name: str) -> None:
    assert bill(name, second=True).total.expected > bill(name, second=False).total.expected
    grows = {line.item.component for line in bill(name, second=True).of(SECOND) if line.item.by_use}
    assert grows == {"copying to the second region"}


def test_what_is_in_both_regions_has_a_price_of_its_own() -> None:
    prices = {line.item.price for line in bill("gcp", second=True).lines}
    assert {"firestore.wide.write", "storage.dual.gb-month"} <= prices
    assert not {"firestore.write", "storage.gb-month"} & prices
    assert "storage.GZRS.gb-month" in {line.item.price for line in bill("azure", second=True).lines}
