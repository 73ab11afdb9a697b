"""Processor time of process trees, read from a made-up ``/proc``."""

from pathlib import Path

import pytest

from bench import cpu


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    for pid, parent, tasks in ((10, 1, (100, 20)), (11, 10, (3,)), (12, 11, (4000,)), (50, 1, (7,))):
        folder = tmp_path / str(pid)
        folder.mkdir()
        (folder / "stat").write_text(f"{pid} (odd ) name) S {parent} 1 1 0", "utf-8")
        for number, nanoseconds in enumerate(tasks):
            task = folder / "task" / str(number)
            task.mkdir(parents=True)
            (task / "schedstat").write_text(f"{nanoseconds} 5 6\n", "ascii")
    (tmp_path / "self").mkdir()
    return tmp_path


def test_a_tree_is_found_whole(proc: Path) -> None:
    assert cpu.family([10], proc) == {10, 11, 12}
    assert cpu.family([11, 50], proc) == {11, 12, 50}


def test_all_threads_of_all_processes_count(proc: Path) -> None:
    assert cpu.used([10], proc) == 4123
    assert cpu.used([11], proc) == 4003


def test_what_overlaps_is_counted_once(proc: Path) -> None:
    assert cpu.used([10, 12], proc) == 4123


def test_a_process_that_is_gone_uses_nothing(proc: Path) -> None:
    assert cpu.used([99], proc) == 0
