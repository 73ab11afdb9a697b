"""What processes use, from a made-up /proc and from the real one."""

import os
import socket
import sys
from pathlib import Path

import pytest

from shoal.local.usage import Meter


def stat(folder: Path, pid: int, parent: int, *, ticks: int, pages: int, shared: int = 0, began: int = 100) -> None:
    (folder / str(pid)).mkdir(exist_ok=True)
    rest = ["S", str(parent), *["0"] * 9, str(ticks), "0", *["0"] * 6, str(began), "0"]
    (folder / str(pid) / "statm").write_text(f"99 {pages} {shared} 1 0 1 0")
    (folder / str(pid) / "stat").write_text(f"{pid} (a ) (name) {' '.join(rest)}")


def test_a_process_is_measured_with_its_descendants(tmp_path: Path) -> None:
    stat(tmp_path, 10, 1, ticks=100, pages=5, shared=2)
    stat(tmp_path, 11, 10, ticks=50, pages=7, shared=4)
    stat(tmp_path, 12, 11, ticks=50, pages=1)
    stat(tmp_path, 13, 1, ticks=9999, pages=999)
    found = Meter(tmp_path).look([10, 99])
    assert set(found) == {10}
    assert found[10].processes == 3
    assert found[10].memory == (3 + 3 + 1 + 4) * os.sysconf("SC_PAGE_SIZE")


def test_processor_time_counts_from_the_look_before(tmp_path: Path) -> None:
    meter = Meter(tmp_path)
    stat(tmp_path, 10, 1, ticks=5000, pages=1)
    meter.look([10])
    assert meter.look([10])[10].cpu == 0
    stat(tmp_path, 10, 1, ticks=5000 + 1000 * os.sysconf("SC_CLK_TCK"), pages=1)
    assert meter.look([10])[10].cpu > 1
    stat(tmp_path, 10, 1, ticks=1, pages=1, began=101)
    assert meter.look([10])[10].cpu < 1, "another process has the id now"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has /proc")
def test_this_process_is_found() -> None:
    found = Meter().look([os.getpid()])[os.getpid()]
    assert found.memory > 1024 * 1024


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has /proc")
def test_the_ports_on_which_a_process_listens_are_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert port in Meter().look([os.getpid()])[os.getpid()].ports
    assert port not in Meter().look([os.getpid()])[os.getpid()].ports


def test_nothing_is_known_without_proc(tmp_path: Path) -> None:
    assert Meter(tmp_path / "none").look([os.getpid()]) == {}
