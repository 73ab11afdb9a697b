"""A bill: parts sum to totals, more use never costs less, and what is unknown is said and never zero."""

import tomllib
from decimal import Decimal
from importlib import resources as packages
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.cost import render, usage
from shoal.cost.aws import items
from shoal.cost.cloud import Cloud
from shoal.cost.clouds import CLOUDS
from shoal.cost.endpoints import per_thousand
from shoal.cost.estimate import Estimate, Item, added, cents, priced
from shoal.cost.month import Month
from shoal.cost.prices import Table, packaged, read
from shoal.cost.tips import tips
from shoal.cost.usage import Range, Usage, Work, exactly
from shoal.deploy.aws.parts import resources
from shoal.deploy.aws.settings import Size
from shoal.errors import DeclarationError
from tests.deploy.aws.samples import PRODUCTION, scope_of, shops
from tests.deploy.samples import shop

TABLE = packaged("aws", "us-east-1")
PLAN = scope_of(shop()).plan
HEAD = 'provider = "a"\nregion = "b"\ndate = "c"\n[prices]\n'
AMOUNTS = st.decimals(0, 10**9, places=3)


@st.composite
def ranges(draw: st.DrawFn) -> Range:
    low, expected, high = sorted(draw(st.lists(AMOUNTS, min_size=3, max_size=3)))
    return Range(low=low, expected=expected, high=high)


def bill(used: Usage, table: Table = TABLE) -> Estimate:
    return priced(items(shops(), Month(PLAN, used)), table)


@given(st.lists(st.builds(Item, component=st.just("x"), price=st.sampled_from([*TABLE.prices, "nobody.knows"]),
       amount=ranges(), service=st.sampled_from(("", "a", "b"))), max_size=12))  # fmt: skip
def test_parts_sum_to_totals(found: list[Item]) -> None:
    estimate = priced(found, TABLE)
    by_service = sum((added(estimate.of(service)) for service in estimate.services), exactly(0))
    assert by_service == estimate.total
    assert estimate.total.low <= estimate.total.expected <= estimate.total.high
    unknown = [item.service for item in found if item.price == "nobody.knows"]
    assert sorted(line.item.service for line in estimate.unknown) == sorted({*unknown})
    for line in estimate.lines:
        if line.price is not None and line.cost is not None:
            shown = line.item.amount.expected * line.price.amount
            assert abs(line.cost.expected - shown) <= Decimal("0.005"), "a row is what it says"
    assert all(line.cost is None for line in estimate.unknown)


def test_what_is_alike_is_one_line_of_which_no_part_is_rounded() -> None:
    asked = [Item(component="queues", price="sqs.fifo", amount=exactly("0.1314"), service="a") for _ in range(17)]
    (line,) = priced([*asked[:9], *asked[9:]], TABLE).lines
    assert (line.item.amount, line.cost) == (exactly("2.2338"), exactly("1.12"))
    other = msgspec.structs.replace(asked[0], service="b")
    assert [one.item.service for one in priced([asked[0], other, asked[1]], TABLE).lines] == ["a", "b"]


@given(ranges(), ranges(), st.sampled_from(("requests", "stored", "objects")))
@settings(max_examples=25, deadline=None)
def test_more_use_never_costs_less(some: Range, more: Range, what: str) -> None:
    less = bill(msgspec.structs.replace(Usage(), **{what: some})).total
    greater = bill(msgspec.structs.replace(Usage(), **{what: some + more})).total
    assert less.low <= greater.low
    assert less.expected <= greater.expected
    assert less.high <= greater.high


@given(st.dictionaries(st.sampled_from([f"{r.method} {r.path}" for r in PLAN.routes]), ranges(), max_size=4), ranges())
@settings(max_examples=25, deadline=None)
def test_requests_are_shared_among_operations_and_none_is_lost(named: dict[str, Range], requests: Range) -> None:
    month = Month(PLAN, msgspec.structs.replace(Usage(), endpoints=named, requests=requests))
    for key, value in named.items():
        assert month.endpoints[key] == value
    assert round(month.requests.expected, 3) >= requests.expected - Decimal("0.01")


def leaves(kind: type) -> set[type]:
    """List the kinds below one that are none of several."""
    below: list[type] = kind.__subclasses__()
    return {leaf for one in below for leaf in (leaves(one) or {one})}


@pytest.mark.parametrize("cloud", CLOUDS.values(), ids=CLOUDS)
def test_every_kind_of_resource_is_priced_or_said_to_be_free(cloud: Cloud[Any, Any]) -> None:
    package = f"shoal.deploy.{cloud.name}."
    kinds = [kind for kind in leaves(cloud.base) if kind.__module__.startswith(package)]
    assert {*kinds} == {*cloud.billed, *cloud.free, *cloud.open}
    assert len(cloud.billed) + len(cloud.free) + len(cloud.open) == len(kinds) > 10


def test_what_is_unknown_is_said_and_in_no_sum() -> None:
    prices = {name: price for name, price in TABLE.prices.items() if name != "opensearch.gp3.gb-month"}
    found = bill(Usage(), msgspec.structs.replace(TABLE, prices=prices))
    assert {line.item.price for line in found.unknown} == {"opensearch.gp3.gb-month"}
    shown = render.rows(found)
    assert any(row[1] == "OpenSearch storage" and row[-3:] == ["unknown"] * 3 for row in shown)
    assert any("opensearch.gp3.gb-month" in note for note in render.notes(found, Month(PLAN, Usage()).requests))


def test_a_region_without_a_table_has_amounts_and_no_costs() -> None:
    found = bill(Usage(), packaged("aws", "mars-north-1"))
    assert len(found.unknown) == len(found.lines)
    assert any("no price" in note for note in render.notes(found, exactly(1)))


def test_the_bill_follows_the_deployment() -> None:
    before = bill(Usage())
    scope = scope_of(shop(), msgspec.structs.replace(PRODUCTION, gateways=1, least=3))
    after = priced(items(resources(scope), Month(PLAN, Usage())), TABLE)
    gateways = [
        sum(line.cost.expected for line in e.lines if line.cost and line.item.price == "nat.hour")
        for e in (before, after)
    ]
    assert gateways == [Decimal("98.55"), Decimal("32.85")]
    tasks = [
        sum(line.item.amount.low for line in e.lines if line.item.price == "fargate.x86.cpu.hour")
        for e in (before, after)
    ]
    assert tasks == [Decimal(730) * 10 * 2 / 4, Decimal(730) * 10 * 3 / 4]


def test_an_operation_that_reaches_a_table_costs_more_than_one_that_does_not() -> None:
    each = per_thousand(CLOUDS["aws"], shops(), Month(PLAN, Usage()), TABLE)
    assert set(each) == {f"{r.method} {r.path}" for r in PLAN.routes}
    assert each["POST /orders"] > each["GET /search"] > 0


@pytest.mark.parametrize("measured", [False, True])
def test_an_operation_costs_what_the_bill_grows_by_when_it_alone_is_asked_more(*, measured: bool) -> None:
    work = {one.name: Work(asked=Decimal("0.7"), writes=Decimal(2)) for one in PLAN.services} if measured else {}
    used = Usage(services=work)
    each = per_thousand(CLOUDS["aws"], shops(), Month(PLAN, used), TABLE)
    now = Month(PLAN, used).endpoints

    def total(asked: dict[str, Range]) -> Decimal:
        usage = msgspec.structs.replace(used, endpoints=asked, requests=sum(asked.values(), exactly(0)))
        return sum(
            (item.amount.expected * TABLE.prices[item.price].amount for item in items(shops(), Month(PLAN, usage))),
            Decimal(0),
        )

    for key in ("POST /orders", "GET /search"):
        grown = total({**now, key: now[key] + exactly(1000)}) - total(now)
        assert each[key] == pytest.approx(grown, rel=Decimal("1e-9"))


def test_advice_is_what_another_bill_would_be() -> None:
    found = tips(CLOUDS["aws"], shops(), Month(PLAN, Usage()), TABLE)
    arm = next(tip for tip in found if "ARM64" in tip.advice)
    ours = sum(
        line.cost.expected for line in bill(Usage()).lines if line.cost and line.item.price.startswith("fargate")
    )
    assert arm.saves is not None
    assert Decimal("0.19") < arm.saves / ours < Decimal("0.21")
    known = [tip.saves for tip in found if tip.saves is not None]
    assert known == sorted(known, reverse=True)


def test_out_of_hours_only_a_part_of_what_stands_is_paid() -> None:
    found = tips(CLOUDS["aws"], shops(), Month(PLAN, Usage()), TABLE)
    nights = next(tip for tip in found if "out of hours" in tip.advice)
    lines = [line for line in bill(Usage()).lines if line.item.price.startswith("fargate")]
    stands = added(lines).low
    assert nights.saves == cents(stands * 118 / 168)


def test_advice_that_cannot_be_computed_says_why() -> None:
    prices = {name: price for name, price in TABLE.prices.items() if name != "fargate.spot.x86.gb.hour"}
    table = msgspec.structs.replace(TABLE, prices=prices)
    found = tips(CLOUDS["aws"], shops(), Month(PLAN, Usage()), table)
    unknown = {tip.advice.partition(":")[0]: tip.why for tip in found if tip.saves is None}
    assert "fargate.spot.x86.gb.hour" in unknown["run what may stop on spare capacity"]
    assert "--usage run" in unknown["give services the size that they were measured to need"]
    assert "--usage run" in unknown["end databases that nobody asks"]


def test_advice_follows_from_what_a_run_measured() -> None:
    work = {
        one.name: Work(asked=Decimal(1), engines=Decimal(one.name != "users"), memory=Decimal(90))
        for one in PLAN.services
    }
    scope = scope_of(shop(), msgspec.structs.replace(PRODUCTION, services={"users": Size(cpu=1024, memory=2048)}))
    found = tips(CLOUDS["aws"], resources(scope), Month(PLAN, Usage(services=work)), TABLE)
    smaller = next(tip for tip in found if "measured to need" in tip.advice)
    hours = 730 * Decimal("2.5")
    assert smaller.saves is not None
    assert (
        abs(smaller.saves - hours * (Decimal("0.75") * Decimal("0.04048") + Decimal("1.5") * Decimal("0.004445"))) < 1
    )
    idle = [tip for tip in found if "nobody asked for anything" in tip.advice]
    assert [tip.advice.split(",")[0] for tip in idle] == ["end the engines of users"]
    assert idle[0].saves == Decimal("27.96")


def test_every_packaged_price_has_a_source_and_a_date() -> None:
    for file in (packages.files("shoal.cost") / "tables").iterdir():
        table = read(file.read_text("utf-8"), where=file.name)
        assert table.date
        assert table.prices
        assert {price.source for price in table.prices.values()} == set(table.sources)
        for price in tomllib.loads(file.read_text("utf-8"))["prices"].values():
            assert isinstance(price["amount"], str), "a number would be rounded"


@pytest.mark.parametrize(
    "text",
    [
        "x =",
        'provider = "aws"',
        f'{HEAD}x = {{ amount = "-1", unit = "h", source = "s" }}',
        f'{HEAD}x = {{ amount = "1e400", unit = "h", source = "s" }}\n[sources]\ns = "t"',
        f'{HEAD}x = {{ amount = "NaN", unit = "h", source = "s" }}\n[sources]\ns = "t"',
        f'{HEAD}x = {{ amount = "1", unit = "h", source = "nowhere" }}',
    ],
)  # fmt: skip
def test_a_wrong_table_is_refused(text: str) -> None:
    with pytest.raises(DeclarationError):
        read(text, where="prices.toml")


@pytest.mark.parametrize(
    "text", ["requests = -1", 'requests = "many"', "colour = 1", "[requests]\nlow = 3\nexpected = 2\nhigh = 4", "x ="]
)
def test_wrong_usage_is_refused(text: str) -> None:
    with pytest.raises(DeclarationError):
        usage.read(text, where="usage.toml")


def test_usage_is_read() -> None:
    text = 'requests = 5000000\nevents_per_request = 0.1\n[endpoints]\n"POST /orders" = 100\n'
    found = usage.read(text, where="usage.toml")
    assert found.requests == exactly(5_000_000)
    assert found.events_per_request == Decimal("0.1")
    assert found.endpoints == {"POST /orders": exactly(100)}
