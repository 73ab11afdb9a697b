"""Clouds and Kubernetes side by side: what is priced for pods, what is shown, and pages that need nothing else."""

import re
from decimal import Decimal
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.cost import render, side_by_side
from shoal.cost.bill import Bill
from shoal.cost.clouds import CLOUDS
from shoal.cost.cluster import Cluster, Machine, cheapest, packed
from shoal.cost.comparison import Way, alike, ways
from shoal.cost.estimate import Estimate, Item, priced
from shoal.cost.month import Month
from shoal.cost.pods import Pod, pods, quantity
from shoal.cost.prices import Price, Table, packaged
from shoal.cost.usage import Usage, exactly
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.target import target
from shoal.model.plan import plan
from tests.deploy.aws.samples import PRODUCTION
from tests.deploy.samples import shop

TABLE = packaged("aws", "us-east-1")
ENVIRONMENT = msgspec.structs.replace(PRODUCTION, region="us-east-1")
LARGE = Machine(
    name="large",
    price="x.large.hour",
    processors=Decimal(2),
    memory=Decimal(8),
    kept=(Decimal("0.2"), Decimal(1)),
    pods=20,
)


def found() -> list[Way]:
    return [*ways(CLOUDS["aws"], ENVIRONMENT, shop(), Usage(), TABLE, alike(ENVIRONMENT))]


def alone(estimate: Estimate) -> Bill:
    operations = {"POST /<b>": Decimal(1)}
    return Bill(estimate=estimate, requests=exactly(1), usage=Usage(), operations=operations, tips=(), told=("a < b",))


def pod(processors: str, memory: str, count: int) -> Pod:
    return Pod(name="a", processors=Decimal(processors), memory=Decimal(memory), least=count, count=exactly(count))


def test_pods_are_promised_what_their_objects_say() -> None:
    environment = alike(ENVIRONMENT)
    scope = Scope(plan=plan(shop(), target(shop(), environment)), environments=(environment,))
    every = {one.name: one for one in pods(scope, Month(scope.plan, Usage()), engines=True)}
    assert every["users"].processors == Decimal("0.1") + Decimal("0.1"), "a service and its proxy"
    assert every["users"].count.low == 2
    server = every["postgres"]
    assert (server.processors, server.memory, server.disk) == (Decimal("0.5"), Decimal(1), Decimal(20))
    assert every["postgres"].count == exactly(3)
    assert every["opensearch"].memory == 2
    alone = pods(scope, Month(scope.plan, Usage()), engines=False)
    assert {one.name for one in alone} == {service.name for service in scope.plan.services}


@pytest.mark.parametrize(
    ("text", "amount"), [("250m", "0.25"), ("2", "2"), ("192Mi", "0.1875"), ("1Gi", "1"), ("1Ti", "1024")]
)
def test_quantities_are_read(text: str, amount: str) -> None:
    assert quantity(text) == Decimal(amount)


def test_nodes_are_as_many_as_pods_fill() -> None:
    assert packed(LARGE, [pod("0.9", "1", 4)], 1) == exactly(2), "two of them fit by their processors"
    assert packed(LARGE, [pod("0.1", "3.5", 4)], 1) == exactly(2), "two of them fit by their memory"
    assert packed(LARGE, [pod("0.01", "0.1", 41)], 1) == exactly(3), "no node takes more than twenty"
    assert packed(LARGE, [pod("0.9", "1", 1)], 3) == exactly(3), "one in each zone"


@given(st.lists(st.tuples(st.integers(1, 18), st.integers(1, 70), st.integers(1, 9)), min_size=1, max_size=5))
def test_pods_that_are_laid_out_one_by_one_take_about_as_many_nodes(kinds: list[tuple[int, int, int]]) -> None:
    """First fit, largest first, is never far away: the nodes that are priced would hold them."""
    some = [pod(str(Decimal(a) / 10), str(Decimal(b) / 10), count) for a, b, count in kinds]
    counted = packed(LARGE, some, 1).expected
    assert first_fit(some) <= counted + len(kinds)


def first_fit(some: list[Pod]) -> int:
    room = (LARGE.processors - LARGE.kept[0], LARGE.memory - LARGE.kept[1])
    nodes: list[list[Decimal]] = []
    each = [one for one in some for _ in range(int(one.count.expected))]
    for one in sorted(each, key=lambda p: max(p.processors / room[0], p.memory / room[1]), reverse=True):
        free = next((n for n in nodes if n[0] >= one.processors and n[1] >= one.memory and n[2] >= 1), None)
        if free is None:
            nodes.append(free := [*room, Decimal(LARGE.pods)])
        free[0], free[1], free[2] = free[0] - one.processors, free[1] - one.memory, free[2] - 1
    return len(nodes)


def test_the_cheapest_machine_is_taken_of_those_whose_price_is_known() -> None:
    larger = Machine(
        name="larger",
        price="x.larger.hour",
        processors=Decimal(4),
        memory=Decimal(16),
        kept=LARGE.kept,
        pods=40,
    )
    described = Cluster(title="K", control=(), machines=(LARGE, larger), disk="d", balancer=(), egress="e", nodes=1)
    many = (pod("0.9", "1", 8),)

    def table(**prices: str) -> Table:
        said = {f"x.{name}.hour": Price(amount=Decimal(one), unit="hour", source="s") for name, one in prices.items()}
        return Table(provider="x", region="y", date="z", sources={"s": "s"}, prices=said)

    assert cheapest(described, many, table(large="1", larger="1.5")).name == "larger"
    assert cheapest(described, many, table(large="1", larger="3")).name == "large"
    assert cheapest(described, many, table(larger="3")).name == "larger"


def test_each_way_has_what_it_takes_and_nothing_of_the_others() -> None:
    plain, inside, managed = found()
    kinds = [{line.item.price.partition(".")[0] for line in way.estimate.lines} for way in (plain, inside, managed)]
    assert {"fargate", "rds", "sqs", "api"} <= kinds[0]
    assert not {"eks", "ec2"} & kinds[0]
    assert {"eks", "ec2", "ebs", "dynamodb", "s3"} <= kinds[1]
    assert not {"fargate", "rds", "docdb", "sqs", "api"} & kinds[1]
    assert {"eks", "rds", "docdb", "sqs"} <= kinds[2]
    assert "fargate" not in kinds[2]
    for way in (plain, inside, managed):
        sums = [one for one in way.sums().values() if one is not None]
        assert sum((one.expected for one in sums), Decimal(0)) == way.estimate.total.expected


def test_an_environment_on_kubernetes_is_compared_like_any_other() -> None:
    cluster = msgspec.structs.replace(ENVIRONMENT, compute="eks", account="123456789012")
    some = [*ways(CLOUDS["aws"], cluster, shop(), Usage(), TABLE, alike(cluster))]
    assert [way.estimate.total for way in some] == [way.estimate.total for way in found()]


def test_what_is_unknown_is_marked_and_never_the_cheapest() -> None:
    prices = {name: price for name, price in TABLE.prices.items() if not name.startswith("ec2")}
    table = msgspec.structs.replace(TABLE, prices=prices)
    some = [*ways(CLOUDS["aws"], ENVIRONMENT, shop(), Usage(), table, alike(ENVIRONMENT))]
    rows = side_by_side.rows(some)
    assert rows[1][3] == "73.00+", "the control plane alone"
    assert rows[1][-1].endswith("+")
    assert not rows[0][-1].endswith("+")
    assert any("ec2.m6i.large.hour" in note for note in side_by_side.notes(some))
    assert side_by_side.document(some)["cheapest"] in (None, "AWS serverless")


class Reader(HTMLParser):
    """Notes elements and text."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} ends where it did not begin"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


@pytest.mark.parametrize("which", ["comparison", "bill"])
def test_a_page_has_a_chart_that_can_be_read_and_asks_no_network(which: str) -> None:
    estimate = found()[0].estimate
    page = side_by_side.html(found(), ["a < b"]) if which == "comparison" else render.html(alone(estimate))
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert not re.search(r"(src|href)=|url\(|@import|<script|https?://", page.replace("aws.amazon.com", ""))
    svg = next(attributes for tag, attributes in reader.seen if tag == "svg")
    assert svg["role"] == "img"
    named = {attributes["id"] for _, attributes in reader.seen if "id" in attributes}
    assert {*(svg["aria-labelledby"] or "").split()} <= named
    assert "table" in [tag for tag, _ in reader.seen], "the same as a table"
    assert all(attributes.get("scope") for tag, attributes in reader.seen if tag == "th")
    assert "prefers-color-scheme: dark" in page
    assert "a < b" not in page


def test_bars_are_as_long_as_their_numbers() -> None:
    page = side_by_side.html(found(), [])
    widths: dict[str, Decimal] = {}
    for way in found():
        parts = re.findall(rf'width="([\d.]+)" height="\d+"><title>{re.escape(way.name)}, [a-z]+:', page)
        widths[way.how] = sum(map(Decimal, parts), Decimal(0))
    totals = {way.how: way.estimate.total.expected for way in found()}
    first = next(iter(totals))
    for how, total in totals.items():
        assert abs(widths[how] / widths[first] - total / totals[first]) < Decimal("0.01")
    ends = [Decimal(one) for one in re.findall(r'class="range" d="M[\d.]+ \d+H([\d.]+)M', page)]
    begins = min(Decimal(one) for one in re.findall(r'<rect class="c\d" x="([\d.]+)"', page))
    most = max(way.estimate.total.high for way in found())
    assert abs((max(ends) - begins) * totals[first] / most - widths[first]) < 3, "on one scale"


def test_names_of_others_cannot_break_a_page() -> None:
    item = Item(component="<b>", price="nat.hour", amount=exactly(1), service="<script>")
    page = render.html(alone(priced([item], TABLE)))
    assert "<script>" not in page
    assert "<b>" not in page
