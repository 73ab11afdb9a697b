"""The shop, broken by hand in many ways: each is found where it was done, and its remedy works as it is said."""

from pathlib import Path
from typing import NamedTuple

import pytest

from shoal.check.table import RULES
from shoal.cli.program import main
from tests.check.breaks import BREAKS
from tests.check.breaks.kinds import Break, Edit, Found
from tests.check.broken import Finding, another_shop, check, copied, edit


class Walk(NamedTuple):
    """What came of all breaks together, and of all remedies."""

    found: list[Finding]
    texts: dict[str, str]
    """File → what was in it when that was found."""
    left: list[Finding]


def _line(text: str, expected: Found) -> int:
    """Say in which line of a file a finding is to be: the only one with its text."""
    (number,) = [number for number, line in enumerate(text.splitlines(), 1) if expected.line in line]
    return number


def _matches(finding: Finding, expected: Found, line: int) -> bool:
    where = finding["where"]
    return (
        (finding["code"], where["file"], where["line"]) == (expected.code, expected.file, line)
        and finding["message"].startswith(expected.message)
        and expected.help in finding["help"]
    )


@pytest.fixture(name="walk", scope="module")
def _walk(tmp_path_factory: pytest.TempPathFactory) -> Walk:
    root = copied(tmp_path_factory.mktemp("shop"))
    for each in BREAKS:
        edit(root, each.edits)
    found = check(root)
    texts = {expected.file: (root / expected.file).read_text("utf-8") for each in BREAKS for expected in each.found}
    for each in BREAKS:
        edit(root, each.remedy)
    return Walk(found, texts, check(root))


@pytest.mark.parametrize("each", BREAKS, ids=lambda each: each.name)
def test_it_is_found_where_it_was_done(walk: Walk, each: Break) -> None:
    for expected in each.found:
        line = _line(walk.texts[expected.file], expected)
        said = [(f["where"], f["message"], f["help"]) for f in walk.found if f["code"] == expected.code]
        assert any(_matches(finding, expected, line) for finding in walk.found), (expected, line, said)


def test_nothing_else_is_found(walk: Walk) -> None:
    every = [(expected, _line(walk.texts[expected.file], expected)) for each in BREAKS for expected in each.found]
    assert [f for f in walk.found if not any(_matches(f, expected, line) for expected, line in every)] == []


def test_the_remedies_leave_nothing_to_find(walk: Walk) -> None:
    assert [(f["code"], f["where"], f["message"]) for f in walk.left] == []


def test_every_family_is_broken() -> None:
    families = {rule.code[:3] for rule in RULES} - {"SH0"}
    assert {expected.code[:3] for each in BREAKS for expected in each.found} == families


def test_a_step_whose_compensation_is_gone_is_found_before_anything_else(tmp_path: Path) -> None:
    root, file = copied(tmp_path), "shop/orders/returns.py"
    edit(root, [Edit(file, "@step(compensate=refuse)", "@step()")])
    (finding,) = check(root)
    expected = Found("SH002", file, "@step()", "step open has no compensation", "give it one: @step(compensate=...)")
    assert _matches(finding, expected, _line((root / file).read_text("utf-8"), expected)), finding
    edit(root, [Edit(file, "@step()", "@step(compensate=refuse)")])
    assert check(root) == []


def test_an_operation_that_has_ended_is_removed_and_its_end_is_locked(tmp_path: Path) -> None:
    root, file = copied(tmp_path), "shop/products/service.py"
    days = (("dt.date(2026, 1, 1)", "dt.date(2023, 1, 1)"), ("dt.date(2099, 1, 1)", "dt.date(2024, 6, 30)"))
    edit(root, [Edit("shop/products/showing.py", before, after) for before, after in days])
    (finding,) = check(root)
    expected = Found(
        "SH605", file, "sunset=SUNSET)", "GET /products/{sku} has answered 410", "remove it; where contracts"
    )
    text = (root / file).read_text("utf-8")
    assert _matches(finding, expected, _line(text, expected)), finding
    begin = text.index("@products.get", text.rindex("\n", 0, text.index("sunset=SUNSET")))
    edit(root, [Edit(file, text[begin : text.index("@products", begin + 1)], "")])
    reason = finding["help"].partition('--breaking "')[2].rstrip('"')
    with another_shop(root), pytest.raises(SystemExit) as ended:
        main(["-q", "-C", str(root), "contract", "lock", "--breaking", reason])
    assert (ended.value.code, reason, check(root)) == (0, "it ended on 2024-06-30", [])
