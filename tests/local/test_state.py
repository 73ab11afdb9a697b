"""Whose state a project has: its own, or that of the original from which it was copied."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from shoal.errors import HostError
from shoal.local import ground, layout, reaper
from shoal.local.state import RunState, copied_from, read_state, write_state
from shoal.operating.running import current


def project(root: Path) -> Path:
    """Make a project whose run is this process."""
    root.mkdir()
    place = layout.layout_of(root)
    pid = os.getpid()
    run = RunState(system="demo", root=str(root), shape="local", pid=pid, born=reaper.born(pid), status="ready")
    write_state(root, run)
    (place.data / "postgres" / "cluster").mkdir(parents=True)
    (place.data / "postgres" / "cluster" / "postmaster.pid").write_text("1", "ascii")
    return root


def test_a_copy_does_not_have_the_state_of_its_original(tmp_path: Path) -> None:
    original, copy = project(tmp_path / "original"), tmp_path / "copy"
    shutil.copytree(original, copy)
    (tmp_path / "link").symlink_to(original)
    assert read_state(copy) is None
    assert copied_from(copy) == original
    assert current(tmp_path / "link").pid == os.getpid()
    assert copied_from(original) is None
    with pytest.raises(HostError, match=r"nothing runs in .*copy: it is a copy of .*original"):
        current(copy)


def test_a_copy_begins_without_what_was_open_while_it_was_made(tmp_path: Path) -> None:
    original, copy, moved = project(tmp_path / "original"), tmp_path / "copy", tmp_path / "moved"
    shutil.copytree(original, copy)

    async def begin(root: Path) -> None:
        await (await ground.take(root, preload=())).leave()

    asyncio.run(begin(copy))
    assert not (copy / ".shoal" / "data" / "postgres").exists()
    original.rename(moved)
    asyncio.run(begin(moved))
    assert (moved / ".shoal" / "data" / "postgres").exists()
