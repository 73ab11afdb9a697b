"""Edits of texts: all of a finding's or none, never two that overlap, never a file that no longer parses."""

import ast

from hypothesis import given
from hypothesis import strategies as st

from shoal.check.finding import Edit, Place, Reported
from shoal.check.fixing import fixed
from shoal.check.suppression import comments


def finding(*edits: Edit, code: str = "SH301") -> Reported:
    return Reported(code=code, name="x", severity="error", where=edits[0].where, message=str(edits), edits=edits)


def edit(begin: int, end: int, text: str, *, line: int = 1, file: str = "a.py") -> Edit:
    """Make an edit of a line, from a column to before another; columns count from 1."""
    return Edit(Place(file, line, begin, line, end), text)


def test_edits_are_made_from_the_last_to_the_first() -> None:
    made = fixed([finding(edit(1, 2, "xx")), finding(edit(5, 6, "22"))], {"a.py": "x = 1\n"})
    assert made.texts == {"a.py": "xx = 22\n"}
    assert len(made.mended) == 2


def test_of_two_that_overlap_the_first_is_made() -> None:
    first, second = finding(edit(1, 4, "y +=")), finding(edit(3, 6, "+ 2"))
    made = fixed([first, second], {"a.py": "x = 1\n"})
    assert (made.texts, made.mended, made.left) == ({"a.py": "y += 1\n"}, (first,), (second,))


def test_the_same_edit_twice_is_one() -> None:
    made = fixed([finding(edit(5, 6, "2")), finding(edit(5, 6, "2"), code="SH302")], {"a.py": "x = 1\n"})
    assert (made.texts, len(made.mended)) == ({"a.py": "x = 2\n"}, 2)


def test_all_edits_of_a_finding_are_made_or_none() -> None:
    both = finding(edit(5, 6, "2"), edit(1, 1, "", line=7, file="b.py"))
    made = fixed([both], {"a.py": "x = 1\n", "b.py": "y = 1\n"})
    assert (made.texts, made.left) == ({}, (both,))


def test_a_file_that_would_no_longer_parse_is_left_alone() -> None:
    bad, good = finding(edit(5, 6, "(")), finding(edit(1, 2, "y"))
    made = fixed([bad, good], {"a.py": "x = 1\n"})
    assert (made.texts, made.left) == ({"a.py": "y = 1\n"}, (bad,))


def test_other_files_need_not_be_python() -> None:
    made = fixed([finding(edit(1, 5, "drop", file="a.sql"))], {"a.sql": "DROP table x;"})
    assert made.texts == {"a.sql": "drop table x;"}


def test_ends_of_lines_and_characters_of_several_bytes_stay() -> None:
    made = fixed([finding(edit(9, 10, "2", line=2))], {"a.py": "y = 1\r\nä = b = 1\r\n"})
    assert made.texts == {"a.py": "y = 1\r\nä = b = 2\r\n"}


@given(
    st.lists(st.sampled_from(["x = 1", "y = 'ä'  # why", "", "if x:", "    z = 2", "    # alone"]), max_size=12),
    st.lists(
        st.tuples(st.integers(0, 14), st.integers(0, 14), st.integers(0, 14), st.sampled_from(["", "1", "(", "\n"])),
        max_size=8,
    ),
)
def test_whatever_is_asked_for_a_file_that_parsed_still_does(
    lines: list[str], asked: list[tuple[int, int, int, str]]
) -> None:
    text = "\n".join(lines) + "\n"
    try:
        ast.parse(text)
    except SyntaxError:
        return
    findings = [finding(edit(begin, end, new, line=line)) for line, begin, end, new in asked]
    made = fixed(findings, {"a.py": text})
    assert len(made.mended) + len(made.left) == len(findings)
    ast.parse(made.texts.get("a.py", text))


@given(st.text(alphabet="x=1 #\n'shoal:ignore[SH301] w", max_size=120))
def test_reading_comments_never_fails(text: str) -> None:
    for path in ("a.py", "a.sql"):
        for ignore in comments({path: text}):
            line = text.split("\n")[ignore.where.line - 1]
            assert "shoal" in line[ignore.where.column - 1 : ignore.where.end_column - 1]
