"""The bill of Azure: every price is known, sessions that are held are counted, tiers begin where they do."""

from decimal import Decimal

import msgspec
import pytest

from shoal.cost.azure import items
from shoal.cost.azure_others import fitted, others
from shoal.cost.estimate import Estimate, priced
from shoal.cost.month import HOURS, Month
from shoal.cost.prices import packaged
from shoal.cost.usage import Usage, exactly
from shoal.deploy.azure.parts import resources
from shoal.deploy.azure.resources import Mail, Subscription, Workload
from shoal.deploy.azure.settings import ENVIRONMENTS, Environment
from shoal.deploy.cloud.resource import Resource
from tests.deploy.azure.samples import CLUSTER, POST, PRODUCTION, SMALL, of_kind, scope_of
from tests.deploy.samples import shop

TABLE = packaged("azure", "eastus2")


def had(environment: Environment) -> tuple[Resource, ...]:
    return resources(scope_of(shop(), environment))


def bill(environment: Environment, used: Usage | None = None, some: tuple[Resource, ...] = ()) -> Estimate:
    month = Month(scope_of(shop(), environment).plan, used or Usage())
    return priced(items(some or had(environment), month), TABLE)


def amount(found: Estimate, price: str) -> Decimal:
    return sum((one.item.amount.expected for one in found.lines if one.item.price == price), Decimal(0))


@pytest.mark.parametrize("environment", [*ENVIRONMENTS, PRODUCTION, SMALL, CLUSTER, POST], ids=lambda one: one.name)
def test_every_price_of_what_is_deployed_is_known(environment: Environment) -> None:
    found = bill(environment)
    assert not found.unknown
    assert 0 < found.total.low <= found.total.expected <= found.total.high


def test_each_subscription_that_is_read_is_held_every_five_seconds() -> None:
    found = had(SMALL)
    read = [one for one in found if isinstance(one, Subscription) and one.service]
    renewed = [one for one in bill(SMALL).lines if one.item.component == "sessions held"]
    counted = sum((one.item.amount.expected for one in renewed), Decimal(0))
    assert counted == len(read) * HOURS * 3600 / 5 / 1_000_000
    assert not [one for one in bill(PRODUCTION).lines if one.item.component == "sessions held"], (
        "Premium has them in its units"
    )


def test_requests_of_a_gateway_cost_beyond_those_in_its_price() -> None:
    standard = Environment(name="p")
    for asked, beyond in ((50, 0), (60, 10)):
        used = msgspec.structs.replace(Usage(), requests=exactly(asked * 1_000_000))
        assert round(amount(bill(standard, used), "gateway.StandardV2.request"), 6) == beyond


def test_units_beyond_the_first_have_a_price_of_their_own() -> None:
    several = bill(Environment(name="p", gateway="StandardV2_3"))
    assert amount(several, "gateway.StandardV2.hour") == HOURS
    assert amount(several, "gateway.StandardV2.more.hour") == 2 * HOURS


def test_what_could_be_otherwise_costs_less_where_it_changes_something() -> None:
    now, found = bill(PRODUCTION).total.expected, had(PRODUCTION)
    less = {one.advice for one in others(found) if bill(PRODUCTION, some=one.resources).total.expected < now}
    assert len(less) == len([*others(found)])


def test_a_service_gets_the_smallest_size_with_room() -> None:
    found = had(PRODUCTION)
    assert of_kind(fitted(found, Month(scope_of(shop()).plan, Usage())), Workload) == of_kind(found, Workload)


def test_letters_cost_where_communication_services_send_them() -> None:
    used = msgspec.structs.replace(Usage(), requests=exactly(1_000_000), mails=Decimal("0.05"))
    assert round(amount(bill(POST, used), "email.mail"), 6) == 50
    assert not amount(bill(PRODUCTION, used), "email.mail")
    waiting = tuple(msgspec.structs.replace(one, waits=True) for one in had(POST) if isinstance(one, Mail))
    assert waiting
    assert not bill(POST, used, waiting).lines
