"""The page about `shoal why` does what it says; the reference of the log names what there is."""

import re
from pathlib import Path
from typing import get_args

import pytest

from shoal.mesh.accesslog import FIELDS
from shoal.mesh.causes import Cause
from shoal.mesh.stats import COUNTERS
from tests.docs.walk import walk

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "how-to" / "why.md"
REFERENCE = DOCS / "reference" / "access-log.md"


@pytest.mark.live
def test_the_page_about_why(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)


def test_every_cause_is_on_the_page() -> None:
    named = re.findall(r"`([a-z-]+)`", " ".join(re.findall(r"^\| (`.*?) \|", PAGE.read_text(), re.MULTILINE)))
    assert sorted(named) == sorted((*get_args(Cause), "cause"))


def test_every_field_and_every_counter_is_in_the_reference() -> None:
    text = REFERENCE.read_text()
    log, _, counters = text.partition("## Counters")
    fields = re.findall(r"^\| `(\w+)` \|", log, re.MULTILINE)
    assert fields == ["hop", *FIELDS]
    assert not [name for name in COUNTERS.values() if f"`{name}`" not in counters and name[-3:] not in ("3xx", "4xx")]
