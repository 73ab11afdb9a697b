"""Two published comparisons come out line by line from their prices, and the page says what differs today."""

from decimal import Decimal
from pathlib import Path

import pytest

from shoal.cost.estimate import Estimate, Item, priced
from shoal.cost.month import HOURS
from shoal.cost.prices import packaged, read
from shoal.cost.usage import exactly

TABLE = read((Path(__file__).parent / "reference.toml").read_text("utf-8"), where="reference.toml")
MEDIUM = {
    "aws": ("eks", (73, 200, 25, 0, 35, 10, 5, 30), 378),
    "azure": ("aks", (0, 200, 50, 0, 50, 5, 3, 30), 338),
    "google": ("gke", (73, 180, 25, 150, 30, 10, 3, 30), 501),
}
SERVERLESS = {
    "aws": (("aws.fargate", "aws.api", "aws.balancer"), (150, 35, 25), 210),
    "azure": (("azure.apps", "azure.api"), (100, 50), 150),
    "google": (("google.run", "google.api", "google.serverless.balancer"), (80, 30, 18), 128),
}


def bill(*wanted: tuple[str, Decimal | int]) -> Estimate:
    return priced([Item(component=name, price=name, amount=exactly(amount)) for name, amount in wanted], TABLE)


def costs(found: Estimate) -> tuple[int, ...]:
    assert not found.unknown
    assert all(line.cost.expected % 1 == 0 for line in found.lines if line.cost is not None)
    return tuple(int(line.cost.expected) for line in found.lines if line.cost is not None)


@pytest.mark.parametrize("cloud", MEDIUM)
def test_a_medium_workload(cloud: str) -> None:
    control, lines, total = MEDIUM[cloud]
    one, million, stored = 1, 10, 100
    found = bill(
        (f"{cloud}.{control}.hour", HOURS), (f"{cloud}.nodes", one), (f"{cloud}.balancer", one), (f"{cloud}.mesh", one),
        (f"{cloud}.api", million), (f"{cloud}.registry", stored), (f"{cloud}.secrets", one),
        (f"{cloud}.monitoring", one),
    )  # fmt: skip
    assert costs(found) == lines
    assert found.total == exactly(total)


@pytest.mark.parametrize("cloud", SERVERLESS)
def test_the_serverless_alternative(cloud: str) -> None:
    names, lines, total = SERVERLESS[cloud]
    found = bill(*((name, 10 if name.endswith("api") else 1) for name in names))
    assert costs(found) == lines
    assert found.total == exactly(total)


_ASKED = Decimal(15_200_000) / 5 / 3600
"""Hours that half a million requests a day take in a month, at a fifth of a second each."""

TODAY: dict[str, tuple[str, dict[str, tuple[str, list[tuple[str, Decimal | int]]]]]] = {
    "aws": (
        "us-east-1",
        {
            "control plane": ("73", [("eks.hour", HOURS)]),
            "three nodes": ("200", [("ec2.m6i.large.hour", 3 * HOURS)]),
            "balancer": ("25", [("alb.hour", HOURS), ("alb.lcu-hour", HOURS)]),
            "API, 10 million requests": ("35", [("api.http", 10)]),
            "100 GB of images": ("10", [("ecr.gb-month", 100)]),
            "12 secrets": ("5", [("secret.month", 12)]),
            "60 GB of logs": ("30", [("logs.gb", 60)]),
            "serverless: four tasks of 1 vCPU and 2 GB": (
                "150",
                [("fargate.x86.cpu.hour", 4 * HOURS), ("fargate.x86.gb.hour", 8 * HOURS)],
            ),
        },
    ),
    "azure": (
        "eastus2",
        {
            "control plane": ("0", [("aks.hour", HOURS)]),
            "three nodes": ("200", [("vm.Standard_D2ds_v5.hour", 3 * HOURS)]),
            "balancer": ("50", [("lb.hour", HOURS)]),
            "API Management, Developer": ("50", [("gateway.Developer.hour", HOURS)]),
            "registry, Basic": ("5", [("registry.Basic.hour", HOURS)]),
            "11 GB of logs": ("30", [("logs.gb", 11)]),
            "serverless: 15.2 million requests of 0.2 s, 1 vCPU and 0.5 GB": (
                "100",
                [
                    ("containerapps.cpu.hour", _ASKED),
                    ("containerapps.gb.hour", _ASKED / 2),
                    ("containerapps.request", Decimal("15.2")),
                ],
            ),
        },
    ),
    "gcp": (
        "us-central1",
        {
            "control plane": ("73", [("gke.hour", HOURS)]),
            "three nodes": ("180", [("gce.e2-standard-2.hour", 3 * HOURS)]),
            "balancer": ("25", [("lb.hour", HOURS)]),
            "API, 10 million requests": ("30", [("api.request", 10)]),
            "100 GB of images": ("10", [("registry.gb-month", 100)]),
            "50 secrets": ("3", [("secret.month", 50)]),
            "60 GB of logs": ("30", [("logs.gb", 60)]),
            "serverless: 15.2 million requests of 0.2 s, 1 vCPU and 0.5 GB": (
                "80",
                [("run.asked.cpu", _ASKED), ("run.asked.gb", _ASKED / 2), ("run.request", Decimal("15.2"))],
            ),
        },
    ),
}
"""What the guide counts with the sizes that it names, and where it names a sum, with a size that comes to it."""


def today(cloud: str) -> list[str]:
    region, components = TODAY[cloud]
    table, rows = packaged(cloud, region), []
    for name, (then, parts) in components.items():
        found = priced([Item(component=n, price=n, amount=exactly(amount)) for n, amount in parts], table)
        assert not found.unknown, found.unknown
        rows.append(f"| {cloud} | {name} | {then} | {found.total.expected} |")
    return rows


def today_as_a_table() -> str:
    return "\n".join(row for cloud in TODAY for row in today(cloud))


@pytest.mark.parametrize("cloud", TODAY)
def test_the_page_says_what_the_same_costs_today(cloud: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "cost.md").read_text("utf-8")
    for row in today(cloud):
        assert row in page, row
