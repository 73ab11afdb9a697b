"""The page about the torture is what its data say, and the README quotes it."""

from pathlib import Path

import msgspec

from tests.torture import report

ROOT = Path(__file__).parents[2]


def test_the_page_is_written_from_the_data() -> None:
    found = msgspec.json.decode((ROOT / "docs" / "torture.json").read_bytes(), type=report.Result)
    assert (ROOT / "docs" / "torture.md").read_text("utf-8") == report.page(found)


def test_the_readme_quotes_the_counts() -> None:
    found = msgspec.json.decode((ROOT / "docs" / "torture.json").read_bytes(), type=report.Result)
    readme = " ".join((ROOT / "README.md").read_text("utf-8").split())
    assert report.quoted(found) in readme
