"""The long work of a run is done once for all of its processes."""

import multiprocessing
import os
from pathlib import Path

import pytest

from tests import background


@pytest.fixture(autouse=True)
def _own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_folder", None)


def note(path: Path) -> int:
    """Leave a line for each time that the work is done."""
    with path.open("a") as file:
        return file.write("done\n")


def another(folder: Path, told: Path) -> None:
    """Be the second process of a run."""
    background.begin({"work": lambda: note(told)}, folder).join()
    os._exit(background.result_of("work", lambda: note(told)))


def end_at_once(folder: Path) -> None:
    """Begin a work, and die before it is done."""
    background.begin({"work": lambda: os._exit(3)}, folder).join()


def test_each_process_gets_the_result_and_one_does_the_work(tmp_path: Path) -> None:
    told = tmp_path / "told"
    background.begin({"work": lambda: note(told)}, tmp_path)
    process = multiprocessing.get_context("spawn").Process(target=another, args=(tmp_path, told))
    process.start()
    assert background.result_of("work", lambda: note(told)) == 5
    process.join()
    assert process.exitcode == 5
    assert told.read_text() == "done\n"


def test_what_died_with_its_process_is_done_where_it_is_asked_for(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=end_at_once, args=(tmp_path,))
    process.start()
    process.join()
    assert process.exitcode == 3
    background.begin({}, tmp_path)
    assert background.result_of("work", lambda: note(tmp_path / "told")) == 5


def test_an_error_is_raised_where_the_result_is_asked_for(tmp_path: Path) -> None:
    def fail() -> None:
        raise ValueError("no")

    background.begin({"work": fail}, tmp_path).join()
    with pytest.raises(ValueError, match="no"):
        background.result_of("work", fail)
