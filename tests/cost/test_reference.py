"""Two published comparisons come out line by line from a table of their prices, by the same arithmetic."""

from decimal import Decimal
from pathlib import Path

import pytest

from shoal.cost.estimate import Estimate, Item, priced
from shoal.cost.month import HOURS
from shoal.cost.prices import read
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
