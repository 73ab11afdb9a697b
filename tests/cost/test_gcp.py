"""The bill of Google Cloud: what sleeps is billed by what it is asked, and what works by itself for all of its time."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.cost.estimate import Estimate, priced
from shoal.cost.gcp import CLUSTER, items
from shoal.cost.gcp_others import fitted, others
from shoal.cost.month import HOURS, Month
from shoal.cost.prices import packaged
from shoal.cost.usage import Range, Usage, Work
from shoal.deploy.gcp.parts import resources
from shoal.deploy.gcp.resources import Resource, Workload
from shoal.deploy.gcp.settings import ENVIRONMENTS, Environment
from tests.deploy.gcp.samples import CLUSTER as CLUSTERED
from tests.deploy.gcp.samples import PRODUCTION, of_kind, scope_of, shops
from tests.deploy.samples import shop

TABLE = packaged("gcp", "us-central1")
PLAN = scope_of(shop()).plan
AMOUNTS = st.decimals(0, 10**9, places=3)


@st.composite
def ranges(draw: st.DrawFn) -> Range:
    low, expected, high = sorted(draw(st.lists(AMOUNTS, min_size=3, max_size=3)))
    return Range(low=low, expected=expected, high=high)


def bill(used: Usage, environment: Environment = PRODUCTION) -> Estimate:
    return priced(items(resources(scope_of(shop(), environment)), Month(PLAN, used)), TABLE)


def amount(found: Estimate, price: str, service: str = "") -> Decimal:
    lines = [line for line in found.lines if line.item.price == price and service in ("", line.item.service)]
    return sum((line.item.amount.expected for line in lines), Decimal(0))


@given(ranges(), ranges(), st.sampled_from(("requests", "stored", "objects")))
@settings(max_examples=20, deadline=None)
def test_more_use_never_costs_less(some: Range, more: Range, what: str) -> None:
    less = bill(msgspec.structs.replace(Usage(), **{what: some})).total
    greater = bill(msgspec.structs.replace(Usage(), **{what: some + more})).total
    assert less.low <= greater.low
    assert less.expected <= greater.expected
    assert less.high <= greater.high


@pytest.mark.parametrize("environment", [*ENVIRONMENTS, PRODUCTION], ids=lambda one: f"{one.name}-{one.project}")
def test_every_price_of_what_is_deployed_is_known(environment: Environment) -> None:
    found = bill(Usage(), environment)
    assert not found.unknown
    assert 0 < found.total.low <= found.total.expected <= found.total.high


def test_what_sleeps_is_billed_by_what_it_is_asked() -> None:
    found = bill(Usage(), ENVIRONMENTS[0])
    asked = Month(PLAN, Usage()).of("web").expected
    assert amount(found, "run.request", "web") == asked / 1_000_000
    assert not amount(found, "run.idle.cpu", "web")
    assert not amount(found, "run.cpu.hour", "web")
    known = bill(Usage(services={"web": Work(cpu=Decimal("0.2"))}), ENVIRONMENTS[0])
    assert round(amount(known, "run.asked.cpu", "web"), 6) == round(Decimal(1_000_000) * Decimal("0.2") / 3600, 6)


def test_what_works_by_itself_is_billed_all_month() -> None:
    found = bill(Usage(busy=Range(low=Decimal(0), expected=Decimal(0), high=Decimal(0))), ENVIRONMENTS[1])
    assert amount(found, "run.cpu.hour", "orders") == HOURS * 2
    assert amount(found, "run.gb.hour", "orders") == HOURS
    assert not amount(found, "run.request", "orders")


def test_a_collector_has_a_processor_beside_each_instance() -> None:
    one, other = (bill(Usage(), msgspec.structs.replace(PRODUCTION, collector=tag)) for tag in ("", "0.138.0"))
    assert amount(other, "run.cpu.hour") == 2 * amount(one, "run.cpu.hour")


def test_a_cluster_is_billed_by_what_its_pods_are_promised() -> None:
    found = bill(Usage(busy=Range(low=Decimal(0), expected=Decimal(0), high=Decimal(1))), CLUSTERED)
    assert not found.unknown, "its cache is in itself"
    assert amount(found, "gke.hour") == HOURS
    assert amount(found, "autopilot.cpu.hour", "orders") == HOURS * 2 * Decimal("0.2")
    assert amount(found, "autopilot.gb.hour", "orders") == HOURS * 2 * Decimal("0.3125")
    assert not amount(found, "run.cpu.hour")


def test_the_firewall_is_billed_by_its_rules() -> None:
    found = bill(Usage())
    limits = sum(route.edge.limit is not None for route in PLAN.routes)
    assert amount(found, "armor.rule-month") == limits + 2
    assert not amount(bill(Usage(), msgspec.structs.replace(PRODUCTION, firewall=False)), "armor.rule-month")


def test_advice_changes_what_it_says_and_who_works_by_itself_keeps_an_instance() -> None:
    found = {one.advice: one.resources for one in others(shops())}
    resting = of_kind(found["let services sleep that only answer: least = 0"], Workload)
    assert {one.least for one in resting.values()} == {0, 1}
    assert all(one.least == int(one.always) for one in resting.values())
    for made in found.values():
        assert made != shops()
        assert all(isinstance(one, Resource) for one in made)


def test_an_instance_is_as_large_as_was_measured() -> None:
    large = tuple(msgspec.structs.replace(one, memory=4096) if isinstance(one, Workload) else one for one in shops())
    month = Month(PLAN, Usage(services={"orders": Work(memory=Decimal(500))}))
    made = of_kind(fitted(large, month), Workload)
    assert made["orders"].memory == 750
    assert made["users"].memory == 4096


def test_nodes_keep_for_themselves_what_google_says() -> None:
    small = CLUSTER.machines[0]
    assert small.processors - small.kept[0] == Decimal("1.73")
    assert Decimal("5.8") < small.memory - small.kept[1] < Decimal("5.9")
