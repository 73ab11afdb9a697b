"""A baseline lets pass what was there, follows lines that move, and only ever shrinks."""

from collections.abc import Mapping

import pytest

from shoal.check import baseline
from shoal.check.baseline import Baseline, Entry, divided, gone, made, read, spell
from shoal.check.finding import Place, Reported
from shoal.errors import DeclarationError


def finding(line: int, code: str = "SH301", file: str = "a.py") -> Reported:
    return Reported(code=code, name="x", severity="error", where=Place(file, line), message="m")


BEFORE = {"a.py": "one\ntwo\nthree\n"}


def left(findings: list[Reported], texts: Mapping[str, str], known: Baseline) -> tuple[int, int, int]:
    """Count new findings, those of the baseline, and entries that are gone."""
    new, old, after = divided(findings, known, texts)
    return len(new), len(old), len(gone(known, after, "b.json"))


def test_what_is_in_it_is_let_pass_wherever_its_line_is_now() -> None:
    known = made([finding(2)], BEFORE)
    assert left([finding(3)], {"a.py": "new\none\n  two  \n"}, known) == (0, 1, 0)


@pytest.mark.parametrize("other", [finding(1), finding(2, code="SH302"), finding(2, file="b.py")])
def test_another_line_code_or_file_is_new(other: Reported) -> None:
    known = made([finding(2)], BEFORE)
    assert left([other], BEFORE | {"b.py": BEFORE["a.py"]}, known) == (1, 0, 1)


def test_one_more_on_a_line_that_reads_alike_is_new() -> None:
    known = made([finding(1), finding(2)], {"a.py": "same\nsame\n"})
    assert known.findings == (Entry("a.py", "SH301", "same", 2),)
    assert left([finding(1), finding(2), finding(3)], {"a.py": "same\nsame\nsame\n"}, known) == (1, 2, 0)


def test_it_is_gone_also_where_only_some_are() -> None:
    known = made([finding(1), finding(2)], {"a.py": "same\nsame\n"})
    new, old, after = divided([finding(1)], known, {"a.py": "same\n"})
    ((place, entry),) = gone(known, after, "b.json")
    assert (new, len(old), place, entry.count) == ([], 1, Place("b.json", 4), 2)


def test_it_is_read_as_it_was_written() -> None:
    for known in (Baseline(), made([finding(1), finding(2), finding(2, code="SH101")], BEFORE)):
        assert read("b.json", spell(known)) == known


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2}', '{"findings": [{"file": 1}]}', '{"more": 1}'])
def test_what_is_no_baseline_is_refused(text: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        read("b.json", text)
    assert (refused.value.where, bool(refused.value.hint)) == ("b.json", True)


def test_the_format_is_said() -> None:
    assert f'"format": {baseline.FORMAT}' in spell(Baseline())
