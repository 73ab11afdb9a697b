"""Another version of the code comes out of git beside the working copy."""

import subprocess
from pathlib import Path

import pytest

from shoal.cli.checkout import checkout
from shoal.errors import DeclarationError, HostError


def git(folder: Path, *arguments: str) -> None:
    own = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    command = ("git", "-C", str(folder), *own, *arguments)
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - git, in a folder of the test


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a repository whose project lies in a folder of it, with two revisions."""
    folder = tmp_path / "repository" / "app"
    folder.mkdir(parents=True)
    git(folder.parent, "init", "-q")
    for text in ("one", "two"):
        (folder / "module.py").write_text(text, "utf-8")
        git(folder.parent, "add", "-A")
        git(folder.parent, "commit", "-q", "-m", text)
    return folder


def test_a_revision_is_unpacked_once_and_the_working_copy_stays(project: Path, tmp_path: Path) -> None:
    (project / "module.py").write_text("three", "utf-8")
    place = checkout(project, "HEAD~1", tmp_path / "home")
    assert (place / "module.py").read_text("utf-8") == "one"
    assert (project / "module.py").read_text("utf-8") == "three"
    assert checkout(project, "HEAD~1", tmp_path / "home") == place
    assert checkout(project, "HEAD", tmp_path / "home") != place


@pytest.mark.parametrize("revision", ["nothing", "--output=/tmp/x", ""])
def test_what_is_no_revision_is_refused(project: Path, tmp_path: Path, revision: str) -> None:
    with pytest.raises(DeclarationError, match="no revision"):
        checkout(project, revision, tmp_path / "home")


def test_a_folder_without_a_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="git"):
        checkout(tmp_path, "HEAD", tmp_path / "home")
