"""The bills with which the pages about clouds begin are those that the estimator comes to."""

import re
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from shoal.cost.clouds import CLOUDS
from shoal.cost.estimate import priced
from shoal.cost.month import Month
from shoal.cost.prices import packaged
from shoal.cost.usage import Usage
from shoal.model.system import System
from shoal.service.describe import describe
from tests.deploy.samples import shop
from tests.docs.walk import File, steps

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {"aws": ("aws.md", "us-east-1"), "azure": ("azure.md", "eastus2"), "gcp": ("google-cloud.md", "us-central1")}
CLUSTERS: dict[str, dict[str, str]] = {
    "aws": {"compute": "eks", "account": "123456789012"},
    "azure": {"compute": "kubernetes"},
    "gcp": {"compute": "kubernetes"},
}


@cache
def _cafe(cloud: str) -> System:
    """Load the system that the page has."""
    place = next(one for one in steps(DOCS / PAGES[cloud][0]) if isinstance(one, File) and one.path == "cafe.py")
    module = ModuleType(f"cafe_of_{cloud}")
    sys.modules[module.__name__] = module
    exec(compile(place.text, "cafe.py", "exec"), module.__dict__)  # noqa: S102 - the page's own
    return describe(module.system)


def _expected(cloud: str, system: System, environment: Any) -> str:
    one, region = CLOUDS[cloud], PAGES[cloud][1]
    there = msgspec.structs.replace(environment, region=region)
    plan = one.plan(system, there)
    found = priced(one.items(one.resources(plan, there), Month(plan, Usage())), packaged(cloud, region))
    assert not found.unknown, "a sum that lacks something is no bill"
    return f"${round(found.total.expected):,} a month"


def _rows(cloud: str) -> dict[str, list[str]]:
    """List the first table of a page: what is priced, and what it costs in `dev` and in `production`."""
    text = (DOCS / PAGES[cloud][0]).read_text("utf-8").split("## ")[0]
    rows = re.findall(r"^\| (the .*?) \|(.*)\|$", text, re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in rows}


@pytest.mark.parametrize("cloud", PAGES)
def test_the_page_begins_with_the_bill(cloud: str) -> None:
    one, rows = CLOUDS[cloud], _rows(cloud)
    cluster = msgspec.structs.replace(one.environments[-1], **CLUSTERS[cloud])
    for name, system in (("the café below", _cafe(cloud)), ("the shop", shop())):
        assert rows[name] == [_expected(cloud, system, environment) for environment in one.environments], name
        if (on_cluster := f"{name} on a cluster") in rows:
            assert rows[on_cluster] == ["", _expected(cloud, system, cluster)]
    assert any("on a cluster" in name for name in rows)
    assert f"`{PAGES[cloud][1]}`" in (DOCS / PAGES[cloud][0]).read_text("utf-8").split("## ")[0]
