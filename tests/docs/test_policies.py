"""The page about proven policies has what is translated and what is otherwise, as the tests know it."""

import ast
import os
from pathlib import Path

from tests.twice import page
from tests.twice.test_edge import CASES
from tests.twice.test_mesh import CASES as CALLS

TRANSLATORS = Path(page.__file__).parents[1]


def test_the_page_has_what_is_generated() -> None:
    written = page.PAGE.read_text("utf-8")
    wanted = page.assembled(written)
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        page.PAGE.write_text(wanted, "utf-8")
    else:
        assert written == wanted


def test_the_page_counts_the_rows() -> None:
    assert f"{len(CASES)} requests" in page.PAGE.read_text("utf-8")
    assert f"{len(CALLS)} calls" in page.PAGE.read_text("utf-8")


def test_the_translators_use_nothing_of_the_package() -> None:
    for folder in ("istiod", "linkerd"):
        for file in (TRANSLATORS / folder).glob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                assert not [one for one in names if one.split(".")[0] in ("shoal", "shop")], file.name
