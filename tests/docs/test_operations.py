"""The page about operating a service names every variable that there is, and metrics that there are."""

import re
from pathlib import Path

import msgspec

from shoal.runtime.config import ServiceConfig
from shoal.runtime.metrics.catalog import CATALOG
from shoal.runtime.metrics.text import prometheus_name

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "operations.md").read_text("utf-8")


def test_every_variable_is_explained() -> None:
    fields = {field.name.upper() for field in msgspec.structs.fields(ServiceConfig)} - {"ENVIRON"}
    assert set(re.findall(r"^\| `SHOAL_([A-Z_]+)`", PAGE, re.MULTILINE)) == fields


def test_what_to_be_woken_for_can_be_measured() -> None:
    named = set(re.findall(r"`((?:shoal|messaging)_[a-z_]+)(?:\{|`| )", PAGE))
    known = {prometheus_name(metric) for metric in CATALOG.values()}
    assert named
    assert {name.removesuffix("_count") for name in named} <= known
