"""Every page is named in the index, and every link between files of the checkout leads somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")


def pages() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "shop" / "README.md", *sorted(DOCS.rglob("*.md"))]


def links(page: Path) -> Iterator[Path]:
    """Yield the files that a page links to; hosts are not asked."""
    for target in _LINK.findall(page.read_text("utf-8")):
        if "://" not in target:
            yield (page.parent / target).resolve()


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    assert [link.relative_to(ROOT).as_posix() for link in links(page) if not link.exists()] == []


def test_the_index_names_every_page() -> None:
    index, rules = DOCS / "README.md", DOCS / "rules" / "README.md"
    assert set(DOCS.rglob("*.md")) - {index} - set(links(index)) - set(links(rules)) == set()


def test_the_readme_leads_to_the_index() -> None:
    assert DOCS / "README.md" in set(links(ROOT / "README.md"))
