"""The page about contracts does what it says, command by command, in an empty folder."""

from pathlib import Path

from tests.docs.walk import File, Script, reader, run, steps

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "contracts.md"


def test_the_page_about_contracts(tmp_path: Path) -> None:
    found = list(steps(PAGE))
    assert [type(step) for step in found] == [File, Script, Script, File, Script]
    for step in found:
        if isinstance(step, File):
            (tmp_path / step.path).write_text(step.text)
        else:
            run(step, tmp_path, {**reader(), "PYTHONDONTWRITEBYTECODE": "1"}, 8000)
