"""The table of what stands for what has a cell for everything, and its page is what the table says."""

import os
import re
from pathlib import Path

import pytest

from shoal.deploy.aws.scope import OWN
from shoal.deploy.azure.scope import OWN as ON_AZURE
from shoal.deploy.azure.target import INSTEAD as INSTEAD_ON_AZURE
from shoal.deploy.cloud.cells import OTHERS, Column, cell, page, rows
from shoal.deploy.cloud.system import IMPOSSIBLE
from shoal.deploy.clouds import COLUMNS
from shoal.deploy.gcp.scope import OWN as ON_GOOGLE
from shoal.deploy.gcp.target import INSTEAD
from shoal.model import unfit

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "clouds.md"


def test_the_page_is_what_the_table_says() -> None:
    text = page(COLUMNS)
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        PAGE.write_text(text, "utf-8")
    assert PAGE.read_text("utf-8") == text


@pytest.mark.parametrize("column", COLUMNS, ids=lambda one: one.title)
def test_every_row_has_a_cell_that_says_something(column: Column) -> None:
    known = rows()
    for row in known:
        assert cell(column, row).text, row
    assert set(column.cells) <= set(known), "a cell of what nobody can declare"


@pytest.mark.parametrize("column", COLUMNS, ids=lambda one: one.title)
def test_what_is_not_possible_says_what_to_use(column: Column) -> None:
    for row in rows():
        found = cell(column, row)
        if not found.possible and row not in OTHERS:
            assert any(word in found.text for word in ("choose", "say ", "use ")), row
    for name in unfit.BROKERS:
        assert not cell(column, name).possible


def test_amazons_column_agrees_with_its_compiler() -> None:
    (aws,) = (one for one in COLUMNS if one.title == "AWS")
    for name in OWN:
        assert aws.cells[name].possible, name
        assert "another's" not in aws.cells[name].text
    assert not [name for name in IMPOSSIBLE if name in aws.cells and aws.cells[name].possible and name != "folder"]


def test_azures_column_agrees_with_its_compiler() -> None:
    (azure,) = (one for one in COLUMNS if one.title == "Azure")
    for name in ON_AZURE:
        assert azure.cells[name].possible, name
        assert "another's" not in azure.cells[name].text
    for name in INSTEAD_ON_AZURE:
        assert re.search("stands? for it", azure.cells[name].text), name


def test_googles_column_agrees_with_its_compiler() -> None:
    (google,) = (one for one in COLUMNS if one.title == "Google Cloud")
    for name in ON_GOOGLE:
        assert google.cells[name].possible, name
        assert "another's" not in google.cells[name].text
    for name, instead in INSTEAD.items():
        assert ("stands for it" in google.cells[name].text) == (name != instead), name
