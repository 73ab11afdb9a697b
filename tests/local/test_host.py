"""What the machine must offer, and the messages when it does not."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from shoal.errors import HostError
from shoal.local.engines.recipe import program
from shoal.local.host import (
    cache_directory,
    private_directory,
    private_file,
    require_platform,
    require_socket_path,
    require_space,
)


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_an_unsupported_platform_is_sent_to_wsl() -> None:
    require_platform("linux")
    require_platform("darwin")
    with pytest.raises(HostError, match="not on win32") as caught:
        require_platform("win32")
    assert "WSL" in caught.value.hint


def test_a_full_disk_is_told_in_mebibytes(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100, 95, 5 * 1024 * 1024))
    require_space(place / "not" / "yet", 5)
    with pytest.raises(HostError, match="has 5 MiB free; at least 6 MiB"):
        require_space(place / "not" / "yet", 6)


def test_a_long_socket_path_is_refused_before_the_kernel_does() -> None:
    require_socket_path(Path("/" + "x" * 102))
    with pytest.raises(HostError, match="has 104 bytes"):
        require_socket_path(Path("/" + "x" * 103))


def test_private_files_are_private_and_replaced_whole(place: Path) -> None:
    directory = private_directory(place / "a" / "b")
    file = private_file(directory / "secret", "one")
    private_file(file, "two")
    assert (directory.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    assert [path.name for path in directory.iterdir()] == ["secret"]
    assert file.read_text() == "two"


def test_what_cannot_be_written_is_named(place: Path) -> None:
    (place / "file").write_text("")
    with pytest.raises(HostError, match="cannot make the directory"):
        private_directory(place / "file" / "below")
    with pytest.raises(HostError, match="cannot write"):
        private_file(place / "missing" / "file", "")


def test_the_cache_follows_the_desktop_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    assert cache_directory() == Path("/c/shoal")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/h")
    assert cache_directory() == Path("/h/.cache/shoal")


def test_a_missing_wheel_says_what_to_install() -> None:
    with pytest.raises(HostError, match="no-such-engine is not installed") as caught:
        program("no-such-engine", "engine")
    assert "pip install 'shoal[local]'" in caught.value.hint


def test_a_wheel_without_the_program_says_so() -> None:
    with pytest.raises(HostError, match="holds no program engine"):
        program("pytest", "engine")
