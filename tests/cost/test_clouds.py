"""Every cloud keeps what a bill promises; each bill of the sample shop is written down, to be read."""

import os
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.cost import bill as bills
from shoal.cost import cluster, render
from shoal.cost.bill import Bill
from shoal.cost.cloud import Cloud
from shoal.cost.clouds import CLOUDS
from shoal.cost.comparison import alike
from shoal.cost.estimate import Estimate, added, priced
from shoal.cost.groups import GROUPS, group_of
from shoal.cost.month import Month
from shoal.cost.pods import pods
from shoal.cost.prices import packaged, regions
from shoal.cost.tips import tips
from shoal.cost.usage import Range, Usage, Work, exactly
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.target import target
from shoal.model.plan import Plan, plan
from tests.deploy.samples import shop

GOLDEN = Path(__file__).parents[1] / "golden" / "cost"
AMOUNTS = st.decimals(0, 10**9, places=3)
RANGED = ("requests", "users", "stored", "objects")
SINGLE = ("events_per_request", "call_bytes", "own_bytes", "answer_bytes", "log_bytes", "object_writes", "mails")
every = pytest.mark.parametrize("name", CLOUDS)


@cache
def had(name: str) -> tuple[Plan, tuple[Any, ...]]:
    cloud = CLOUDS[name]
    decided = cloud.plan(shop(), cloud.environments[-1])
    return decided, cloud.resources(decided, cloud.environments[-1])


@cache
def scope(name: str) -> Scope:
    environment = alike(CLOUDS[name].environments[-1])
    return Scope(plan=plan(shop(), target(shop(), environment)), environments=(environment,))


def bill(name: str, used: Usage, place: str = "") -> Estimate:
    decided, resources = had(name)
    return priced(CLOUDS[name].items(resources, Month(decided, used)), packaged(name, place or region(name)))


def whole(name: str) -> Bill:
    decided, resources = had(name)
    return bills.bill(CLOUDS[name], resources, Month(decided, Usage()), packaged(name, region(name)))


def nodes(name: str, used: Usage) -> Estimate:
    described, month, table = CLOUDS[name].cluster, Month(had(name)[0], used), packaged(name, region(name))
    assert described is not None
    return priced(cluster.items(described, pods(scope(name), month, engines=True), month, table), table)


def region(name: str) -> str:
    here = CLOUDS[name].environments[-1].region
    return here if here in regions(name) else next(iter(regions(name)))


CLUSTERS: dict[str, dict[str, str]] = {
    "aws": {"compute": "eks", "account": "123456789012"}, "azure": {"compute": "kubernetes"},
    "gcp": {"compute": "kubernetes"},
}  # fmt: skip


@every
def test_what_leaves_a_cluster_for_clients_is_billed_and_no_line_is_of_nothing(name: str) -> None:
    """A line that says zero hours of something is a price that nobody counted."""
    cloud = CLOUDS[name]
    environment = msgspec.structs.replace(cloud.environments[-1], **CLUSTERS[name])
    decided = cloud.plan(shop(), environment)
    found, more = (
        priced(cloud.items(cloud.resources(decided, environment), Month(decided, used)), packaged(name, region(name)))
        for used in (Usage(), Usage(answer_bytes=Decimal(80_000)))
    )
    before, after = (
        next(line.item.amount.expected for line in one.lines if line.item.component == "data to clients")
        for one in (found, more)
    )
    assert after == 10 * before > 0
    assert all(line.item.amount.expected for line in found.lines)


@st.composite
def ranges(draw: st.DrawFn) -> Range:
    low, expected, high = sorted(draw(st.lists(AMOUNTS, min_size=3, max_size=3)))
    return Range(low=low, expected=expected, high=high)


def costs_no_less(less: Estimate, more: Estimate) -> bool:
    a, b = less.total, more.total
    return a.low <= b.low and a.expected <= b.expected and a.high <= b.high


@every
@given(some=ranges(), more=ranges(), what=st.sampled_from(RANGED), drawn=st.data())
@settings(max_examples=15, deadline=None)
def test_more_use_never_costs_less(name: str, some: Range, more: Range, what: str, drawn: st.DataObject) -> None:
    place = drawn.draw(st.sampled_from(regions(name)))
    less, greater = (msgspec.structs.replace(Usage(), **{what: one}) for one in (some, some + more))
    assert costs_no_less(bill(name, less, place), bill(name, greater, place))


@every
@given(some=AMOUNTS, more=AMOUNTS, what=st.sampled_from(SINGLE), drawn=st.data())
@settings(max_examples=10, deadline=None)
def test_more_of_anything_in_a_request_never_costs_less(
    name: str, some: Decimal, more: Decimal, what: str, drawn: st.DataObject
) -> None:
    place = drawn.draw(st.sampled_from(regions(name)))
    less, greater = (msgspec.structs.replace(Usage(), **{what: one / 1000}) for one in (some, some + more))
    assert costs_no_less(bill(name, less, place), bill(name, greater, place))


@every
@given(cpu=st.decimals("0.0001", "0.5", places=4), some=ranges(), more=ranges())
@settings(max_examples=15, deadline=None)
def test_nodes_never_become_fewer_when_more_is_asked(name: str, cpu: Decimal, some: Range, more: Range) -> None:
    if CLOUDS[name].cluster is None:
        pytest.skip(f"nobody has described Kubernetes of {name}")
    work = {one.name: Work(cpu=cpu) for one in had(name)[0].services}
    less, greater = (Usage(requests=one, services=work) for one in (some, some + more))
    assert costs_no_less(nodes(name, less), nodes(name, greater))


TABLES = [(name, place) for name in CLOUDS for place in regions(name)]


@pytest.mark.parametrize(("name", "place"), TABLES)
def test_parts_sum_to_totals_and_low_is_least(name: str, place: str) -> None:
    found = bill(name, Usage(), place)
    by_service = sum((added(found.of(service)) for service in found.services), exactly(0))
    by_group = [added([line for line in found.lines if group_of(line.item.price) == group]) for group in GROUPS]
    assert by_service == found.total == sum(by_group, exactly(0))
    for line in found.lines:
        assert line.cost is None or line.cost.low <= line.cost.expected <= line.cost.high


@every
def test_a_use_grows_with_requests_alone_and_what_stands_does_not(name: str) -> None:
    quiet, busy = (bill(name, Usage(requests=exactly(one))) for one in (0, 10**9))
    for before, after in zip(quiet.lines, busy.lines, strict=True):
        same = before.item.amount.expected == after.item.amount.expected
        assert same or after.item.by_use, f"{after.item.component} grows with requests, and does not say so"


@every
def test_each_price_of_a_table_has_a_group(name: str) -> None:
    for place in regions(name):
        for price in packaged(name, place).prices:
            assert group_of(price) != "other" or price.partition(".")[0] in OTHERS, price


OTHERS = {"secret", "key", "ecr", "acr", "registry", "keyvault", "kms", "cognito"}


@pytest.mark.parametrize(("name", "place"), TABLES)
def test_a_table_knows_most_of_what_the_shop_is_billed_for(name: str, place: str) -> None:
    found = bill(name, Usage(), place)
    unknown = {line.item.price for line in found.unknown}
    assert 3 * len(unknown) < len({line.item.price for line in found.lines}), unknown


@pytest.mark.parametrize("price", sorted({name for one in TABLES for name in packaged(*one).prices}))
def test_a_price_is_by_the_same_unit_everywhere(price: str) -> None:
    for name in CLOUDS:
        had_by = {
            packaged(name, place).prices[price].unit for place in regions(name) if price in packaged(name, place).prices
        }
        assert len(had_by) <= 1


@every
def test_the_bill_of_the_shop_is_the_golden_one(name: str) -> None:
    text = render.markdown(whole(name))
    file = GOLDEN / f"{name}.md"
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    assert text == file.read_text("utf-8")


@every
def test_no_advice_is_without_a_number_or_a_reason(name: str) -> None:
    decided, resources = had(name)
    for tip in tips(CLOUDS[name], resources, Month(decided, Usage()), packaged(name, region(name))):
        assert tip.but
        assert (tip.saves is None) == bool(tip.why), tip


def test_clouds_are_called_as_their_tables_are() -> None:
    found: dict[str, Cloud[Any, Any]] = {**CLOUDS}
    for name, cloud in found.items():
        assert cloud.name == name
        assert cloud.environments
        assert regions(name), "a cloud has a table of prices"
        assert msgspec.structs.replace(cloud.environments[-1], **cloud.serverless) == cloud.environments[-1]
