"""What is found in a price list: the newest after what is free, and nothing where it contradicts itself."""

from decimal import Decimal
from io import BytesIO

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.cost.aws import CLUSTER as EKS
from shoal.cost.groups import group_of
from shoal.cost.lists.offer import Offer, Wanted, find
from shoal.cost.lists.table import LISTS
from shoal.cost.prices import Price, Table, packaged, read, regions, written
from tests.cost.lists.played import offer

WANTED = Wanted(
    price="disk.{size}.hour", unit="hour", service="Disks", fields={"meter": r"(?P<size>small|large) disk"},
    units={"1 Hour": Decimal(1), "1/Day": Decimal(1) / 24},
)  # fmt: skip


def line(amount: str, unit: str = "1 Hour", *, meter: str = "small disk", start: int = 0, since: str = "") -> Offer:
    return Offer(fields={"meter": meter}, amount=Decimal(amount), unit=unit, start=Decimal(start), since=since)


def small(*lines: Offer) -> str:
    """Say what the small disk costs, or why that is not known."""
    found = find([WANTED], lines, today="2026-11-23")
    known = {name: f"{amount}" for name, (amount, _) in found.amounts.items()}
    return ({**known, **found.doubts}).get("disk.small.hour", "absent")


def test_a_family_of_prices_is_found_by_the_size_in_its_name() -> None:
    found = find([WANTED], [line("1"), line("2", meter="large disk"), line("3", meter="large disk of old")], today="")
    assert found.amounts == {
        "disk.small.hour": (Decimal("1.00"), "hour"), "disk.large.hour": (Decimal("2.00"), "hour"),
    }  # fmt: skip


def test_what_is_free_comes_before_the_price_and_what_is_cheaper_after_it() -> None:
    assert small(line("0"), line("0.8", start=13), line("0.5", start=100)) == "0.80"


def test_of_two_lines_the_newest_counts_that_has_begun() -> None:
    lines = [line("0.11", since="2024-01-01"), line("0.13", since="2026-08-01"), line("0.2", since="2027-01-01")]
    assert small(*lines) == small(*reversed(lines)) == "0.13"


def test_a_unit_is_converted_and_one_that_is_not_known_is_no_price() -> None:
    assert small(line("0.1666", "1/Day")) == "0.00694167"
    assert "'1 Gross'" in small(line("5", "1 Gross"))
    assert small(line("10", "1 Gross"), line("0.02")) == "0.02"


def test_an_older_price_does_not_come_back_where_a_newer_one_is_for_nothing() -> None:
    old, free = line("0.5", since="2020-01-01"), line("0", since="2026-01-01")
    assert small(old, free, line("0.4", start=13, since="2026-01-01")) == "0.40"
    assert small(old, free, line("0.4", start=13, since="2027-01-01")) == "the list has it for nothing, or not yet"


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "1e40", "999999999999", "0.000000001"])
def test_what_no_table_could_say_is_no_price(amount: str) -> None:
    assert "is no price" in small(line(amount))
    assert small(line(amount, since="2027-01-01"), line("3")) == "3.00"


def test_more_lines_than_a_list_has_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 100,000 lines"):
        find([WANTED], (line("1") for _ in range(100_001)), today="")


def test_where_lines_contradict_each_other_none_is_taken() -> None:
    assert small(line("0.1"), line("0.2")) == "the list has several: 0.10, 0.20"
    assert small(line("0.1"), line("0.10")) == "0.10"
    assert "for nothing" in small(line("0"))
    assert small() == "absent"


@given(st.lists(st.tuples(st.decimals("0.01", 100, places=2), st.integers(0, 3), st.booleans()), min_size=1))
def test_the_order_of_lines_does_not_matter_and_nothing_is_ever_free(drawn: list[tuple[Decimal, int, bool]]) -> None:
    lines = [line(str(0 if free else amount), start=start) for amount, start, free in drawn]
    assert small(*lines) == small(*reversed(lines))
    assert small(*lines) != "0.00"


@pytest.mark.parametrize("name", LISTS)
def test_what_a_list_is_asked_for_is_what_bills_ask(name: str) -> None:
    known = {price for region in regions(name) for price in packaged(name, region).prices}
    for one in LISTS[name].wanted:
        if "{" not in one.price:
            assert one.price in known, one.price
        assert group_of(one.price)
        units = {packaged(name, region).prices[one.price].unit for region in regions(name) if one.price in known
                 and one.price in packaged(name, region).prices}  # fmt: skip
        assert units <= {one.unit}, one.price


def test_machines_of_a_cluster_are_among_what_is_asked_for() -> None:
    wanted = [one for one in LISTS["aws"].wanted if one.price.startswith("ec2")]
    for machine in EKS.machines:
        fields = {
            "usage": f"BoxUsage:{machine.name}", "operation": "RunInstances", "system": "Linux", "tenancy": "Shared",
            "capacity": "Used", "software": "NA",
        }  # fmt: skip
        assert [one.names(Offer(fields=fields, amount=Decimal(1), unit="hrs")) for one in wanted] == [machine.price]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "body", [b"", b"<html>not here</html>", b"{}", b"[]", b'{"Items": 3}', b"\xff\xfe,,\n", b"a,b\n1,2"]
)
def test_an_answer_of_another_shape_is_refused(name: str, body: bytes) -> None:
    with pytest.raises((ValueError, msgspec.DecodeError)):
        list(LISTS[name].read(BytesIO(body), "eu-central-1"))


@pytest.mark.parametrize(
    ("region", "usage"),
    [
        ("eu-central-1", "EUC1-NatGateway-Hours"), ("eu-west-1", "EU-NatGateway-Hours"),
        ("us-east-1", "NatGateway-Hours"), ("ap-southeast-1", "APS1-NatGateway-Hours"),
    ],
)  # fmt: skip
def test_a_type_of_usage_is_read_without_its_region(region: str, usage: str) -> None:
    assert usages(region, usage) == ["NatGateway-Hours"]


@pytest.mark.parametrize("usage", ["eu-central-1-KMS-Keys", "KMS-Keys"])
def test_a_key_is_no_region(usage: str) -> None:
    assert usages("eu-central-1", usage) == ["KMS-Keys"]


def usages(region: str, usage: str) -> list[str]:
    body = offer("AmazonEC2", {"usageType": usage, "Unit": "Hrs", "PricePerUnit": "1"})[2]
    read_ = [one for one in LISTS["aws"].read(BytesIO(body), region) if isinstance(one, Offer)]
    return [one.fields["usage"] for one in read_]


@pytest.mark.parametrize("line", [b'"' + b"x" * 200_000 + b'"', b"x," * 600_000, b"\xff"])
def test_a_line_of_amazon_that_is_none_is_refused_wherever_it_stands(line: bytes) -> None:
    good = offer("AmazonEC2", {"usageType": "NatGateway-Hours", "Unit": "Hrs", "PricePerUnit": "1"})[2]
    with pytest.raises(ValueError, match=r"it is no file of prices|it has a line of more than"):
        list(LISTS["aws"].read(BytesIO(good + b"\n" + line), "us-east-1"))


@pytest.mark.parametrize("name", ["azure", "gcp"])
def test_a_page_that_is_larger_than_any_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shoal.cost.lists.offer.LARGEST", 1 << 20)
    with pytest.raises(ValueError, match="more than 1 MiB"):
        list(LISTS[name].read(BytesIO(b" " * (1 << 21)), "eu-central-1"))


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.dictionaries(TEXTS, st.tuples(st.decimals(0, 10**6, places=8), TEXTS)), TEXTS, TEXTS)
def test_a_table_that_is_written_reads_the_same(drawn: dict[str, tuple[Decimal, str]], source: str, where: str) -> None:
    prices = {name: Price(amount=amount, unit=unit, source=source) for name, (amount, unit) in drawn.items()}
    table = Table(provider="aws", region="eu-x-1", date="2026-11-23", sources={source: where}, prices=prices)
    assert read(written(table, head="Of a test.\nTwo lines."), where="here") == table
