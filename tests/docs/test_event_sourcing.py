"""The page about aggregates shows files that work, and tests that pass."""

from pathlib import Path

from tests.docs.walk import File, reader, run, steps

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "event-sourcing.md"


def test_the_page(tmp_path: Path) -> None:
    for step in steps(PAGE):
        if isinstance(step, File):
            file = tmp_path / step.path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(step.text)
        else:
            run(step, tmp_path, reader(), 8000)
