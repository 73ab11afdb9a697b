"""The page about Google Cloud does what it says, command by command, in an empty folder; its bill is the shop's."""

from pathlib import Path

import msgspec
import pytest

from shoal.cost.estimate import priced
from shoal.cost.gcp import items
from shoal.cost.month import Month
from shoal.cost.prices import packaged
from shoal.cost.usage import Usage
from shoal.deploy.gcp.parts import resources
from shoal.deploy.gcp.settings import ENVIRONMENTS, Environment
from tests.deploy.gcp.samples import scope_of
from tests.deploy.samples import shop
from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "google-cloud.md"


def test_the_page(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)


CLUSTER = Environment(name="production", compute="kubernetes")


@pytest.mark.parametrize(
    ("start", "environment", "column"),
    [
        ("| the shop |", ENVIRONMENTS[0], 2),
        ("| the shop |", ENVIRONMENTS[1], 3),
        ("| the shop on a cluster", CLUSTER, 3),
    ],
)
def test_the_bill_that_it_begins_with_is_that_of_the_shop(start: str, environment: Environment, column: int) -> None:
    scope = scope_of(shop(), msgspec.structs.replace(environment, region="us-central1"))
    total = priced(items(resources(scope), Month(scope.plan, Usage())), packaged("gcp", "us-central1")).total
    row = next(line for line in PAGE.read_text("utf-8").splitlines() if line.startswith(start))
    assert row.split("|")[column].strip() == f"${round(total.expected):,} a month"
