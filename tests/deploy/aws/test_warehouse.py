"""A warehouse on AWS is Redshift Serverless: asked by a role, reached by nobody, and woken seldom."""

from decimal import Decimal

import msgspec
import pytest

from shoal.cost.aws import items
from shoal.cost.month import Month
from shoal.cost.usage import Usage
from shoal.deploy.aws import addresses
from shoal.deploy.aws.parts import resources
from shoal.deploy.aws.resources import Group, Network, Password, Secret, Warehouse
from shoal.deploy.aws.settings import Engines, read
from shoal.deploy.cloud.values import Join
from shoal.errors import DeclarationError
from tests.deploy.aws.samples import PRODUCTION, of_kind, scope_of, shops
from tests.deploy.samples import shop


def test_what_is_meant_for_bigquery_is_redshift_and_holds_no_secret() -> None:
    scope = scope_of(shop())
    analytics = scope.plan.service("analytics")
    assert scope.engines(analytics)["warehouse"] == "redshift"
    (made,) = of_kind(shops(), Warehouse).values()
    assert (made.service, made.protected) == ("analytics", True)
    address = addresses.plain(scope, analytics)["SHOAL_WAREHOUSE_URL"]
    assert isinstance(address, Join)
    assert address.parts[0] == "redshift:///"
    assert str(address.parts[-1]).endswith("region=eu-central-1&every=900")
    assert not [name for name in of_kind(shops(), Password) if "redshift" in name]
    assert "analytics/warehouse-url" not in of_kind(shops(), Secret)


def test_nobody_connects_to_it_and_its_interface_is_inside() -> None:
    group = of_kind(shops(), Group)["redshift-analytics"]
    assert not group.callers
    assert not group.outside
    assert "redshift-data" in of_kind(shops(), Network)["main"].endpoints


def test_another_is_chosen_by_name_and_reached_by_a_secret() -> None:
    other = msgspec.structs.replace(PRODUCTION, choose=("analytics.warehouse=bigquery",))
    found = resources(scope_of(shop(), other))
    assert not of_kind(found, Warehouse)
    assert of_kind(found, Secret)["analytics/warehouse-url"].text is None
    assert "redshift-data" not in of_kind(found, Network)["main"].endpoints


@pytest.mark.parametrize("line", ["redshift = 5", "redshift = 0", "redshift = 1024", "redshift_pace = -1"])
def test_sizes_that_there_are_not_are_refused(line: str) -> None:
    with pytest.raises(DeclarationError, match="redshift"):
        read(f'name = "production"\n[engines]\n{line}\n', where="production.toml")


def test_waking_it_less_often_costs_less_and_at_once_is_a_whole_month() -> None:
    def hours(pace: int) -> Decimal:
        engines = Engines(redshift=8, redshift_pace=pace)
        scope = scope_of(shop(), msgspec.structs.replace(PRODUCTION, engines=engines))
        found = items(resources(scope), Month(scope.plan, Usage()))
        return next(one.amount.expected for one in found if one.price == "redshift.rpu-hour")

    assert hours(0) == hours(60) == Decimal(730 * 8)
    assert hours(900) == hours(60) / 15
    assert hours(3600) < hours(900)
