"""The page about simulations shows a system and a scenario that work, and points that exist."""

import re
from pathlib import Path

from shoal.failpoints import sites
from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "simulation.md"


def test_the_page_about_simulations(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)


def test_the_point_that_it_shows_exists() -> None:
    shown = re.findall(r'SHOAL_FAILPOINTS="([^=]+)=', PAGE.read_text("utf-8"))
    assert shown
    assert set(shown) <= {point for site in sites() for point in site.points}


def test_the_targets_that_it_names_exist() -> None:
    makefile = (PAGE.parents[2] / "Makefile").read_text("utf-8")
    for target in re.findall(r"^make (\w+)", PAGE.read_text("utf-8"), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
