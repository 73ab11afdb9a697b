"""What stands by on AWS is a group of its own in a bill, at the prices of where it is."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.cost import render
from shoal.cost.aws import CLOUD
from shoal.cost.cloud import SECOND
from shoal.cost.estimate import Estimate, added, priced
from shoal.cost.month import Month
from shoal.cost.prices import packaged
from shoal.cost.usage import Usage, exactly
from shoal.deploy.aws.settings import Engines, Environment, Standby
from shoal.model.system import System
from tests.deploy.samples import CAFE, shop

ALONE = Environment(name="production", region="eu-central-1", engines=Engines(mongo="db.r6g.large"))


def bill(environment: Environment, system: System | None = None, usage: Usage | None = None) -> Estimate:
    decided = CLOUD.plan(system or CAFE, environment)
    month = Month(decided, usage or Usage())
    return priced(CLOUD.items(CLOUD.resources(decided, environment), month), packaged("aws", environment.region))


def two(region: str = "eu-west-1", copies: int = 0) -> Environment:
    return msgspec.structs.replace(ALONE, standby=Standby(region=region, copies=copies))


def test_it_is_a_group_and_costs_what_its_region_asks() -> None:
    found = bill(two())
    lines = found.of(SECOND)
    west = packaged("aws", "eu-west-1").prices
    database = next(line for line in lines if line.item.component == "PostgreSQL")
    assert database.price == west["rds.db.t4g.micro.hour"]
    assert database.item.amount == exactly(2 * 730), "two databases, of each one copy until it takes over"
    assert all(line.price is None or line.price == west[line.item.price] for line in lines)
    assert found.total == sum((added(found.of(name)) for name in found.services), exactly(0))
    assert any("what stands by is billed in eu-west-1" in said for said in render.notes(found, exactly(10)))


def test_the_first_region_costs_what_it_did_but_for_what_is_copied() -> None:
    before, after = (
        {(service, line.item.component): line.cost for service in found.services for line in found.of(service)}
        for found in (bill(one, shop()) for one in (ALONE, two()))
    )
    changed = {component for (service, component), cost in before.items() if after[service, component] != cost}
    assert changed <= {"secrets"}


def test_what_sleeps_costs_no_tasks_and_no_ways_out() -> None:
    components = {line.item.component for line in bill(two(), shop()).of(SECOND)}
    assert not components & {"Fargate processors", "NAT gateways", "interface endpoints", "queues asked while empty"}
    assert {"PostgreSQL", "DocumentDB", "keys", "secrets", "images", "DynamoDB writes copied"} <= components


def test_where_no_price_is_known_it_is_said() -> None:
    found = bill(two("ap-south-1"))
    assert found.of(SECOND)
    assert all(line.cost is None for line in found.of(SECOND))
    assert any("ap-south-1, of which no price is known" in said for said in render.notes(found, exactly(10)))


@given(st.integers(0, 5), st.integers(0, 10**9))
@settings(max_examples=20, deadline=None)
def test_more_that_runs_never_costs_less_and_requests_are_the_first_regions(copies: int, requests: int) -> None:
    usage = Usage(requests=exactly(requests))
    fewer, more = (bill(two(copies=count), usage=usage) for count in (copies, copies + 1))
    assert added(fewer.of(SECOND)).expected <= added(more.of(SECOND)).expected
    assert added(fewer.of(SECOND)) == added(bill(two(copies=copies)).of(SECOND))
