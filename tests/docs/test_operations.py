"""The page about operating a service names every variable and every metric that there is, and no other."""

import re
from pathlib import Path

import msgspec

import shoal.runtime
from shoal.runtime.config import ServiceConfig

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "operations.md").read_text("utf-8")
SOURCES = [p.read_text("utf-8") for p in Path(shoal.runtime.__file__).parent.rglob("*.py")]


def test_every_variable_is_explained() -> None:
    fields = {field.name.upper() for field in msgspec.structs.fields(ServiceConfig)} - {"ENVIRON"}
    assert set(re.findall(r"^\| `SHOAL_([A-Z_]+)`", PAGE, re.MULTILINE)) == fields


def test_every_kind_of_work_is_explained() -> None:
    kinds = {kind for text in SOURCES for kind in re.findall(r'\.series\("(\w+)"', text)}
    assert set(re.findall(r"^\| `shoal_(\w+)_total`", PAGE, re.MULTILINE)) >= kinds
    assert kinds >= {"request", "event", "saga", "schedule"}


def test_every_gauge_is_explained() -> None:
    gauges = {name for text in SOURCES for name in re.findall(r'gauges\["(shoal_\w+)"\]', text)}
    assert {name for name in gauges if f"| `{name}` |" not in PAGE} == set()
