"""The one writer of generated files."""

from pathlib import Path

import pytest

from shoal import files
from shoal.errors import HostError, ShoalError
from shoal.files import MANIFEST, Entry
from shoal.model.artifact import Artifact


def artifact(path: str, text: str = "x") -> Artifact:
    return Artifact(path=path, text=text)


def test_write_says_what_changed(tmp_path: Path) -> None:
    assert files.write(tmp_path, [artifact("a/b.txt")]) == (Entry(path="a/b.txt", change="added"),)
    assert files.write(tmp_path, [artifact("a/b.txt")]) == (Entry(path="a/b.txt", change="same"),)
    assert files.write(tmp_path, [artifact("a/b.txt", "y")]) == (Entry(path="a/b.txt", change="changed"),)
    assert (tmp_path / "a/b.txt").read_text() == "y"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.txt"]


def test_what_reads_so_already_is_left_alone(tmp_path: Path) -> None:
    files.write(tmp_path, [artifact("a")])
    before = (tmp_path / "a").stat().st_ino
    files.write(tmp_path, [artifact("a")])
    assert (tmp_path / "a").stat().st_ino == before


def test_diff_writes_nothing(tmp_path: Path) -> None:
    assert [e.change for e in files.diff(tmp_path, [artifact("a")])] == ["added"]
    assert list(tmp_path.iterdir()) == []


def test_prune_takes_only_what_was_written_before(tmp_path: Path) -> None:
    files.write_all(tmp_path, [artifact("kept"), artifact("old/gone")])
    (tmp_path / "mine").write_text("by hand")
    entries = files.write_all(tmp_path, [artifact("kept")])
    assert [(e.path, e.change) for e in entries] == [("kept", "same"), ("old/gone", "removed")]
    assert sorted(path.name for path in tmp_path.iterdir()) == [MANIFEST, "kept", "mine"]


@pytest.mark.parametrize("path", ["/etc/passwd", "../up", "a/../../up", ""])
def test_a_path_that_leads_out_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(ShoalError, match="leads out"):
        files.write(tmp_path, [artifact(path)])


def test_a_manifest_that_leads_out_removes_nothing(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / MANIFEST).write_text("../precious\n")
    with pytest.raises(ShoalError, match="leads out"):
        files.write_all(inside, [])
    assert (tmp_path / "precious").exists()


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file")
    with pytest.raises(HostError, match=r"cannot write .*a/b"):
        files.write(tmp_path, [artifact("a/b")])


def test_a_folder_belongs_to_one_maker(tmp_path: Path) -> None:
    files.write_all(tmp_path, [artifact("a")], maker="one")
    files.write_all(tmp_path, [artifact("a", "y")], maker="one")
    with pytest.raises(HostError, match=r"holds what `one` wrote, which `two` would remove"):
        files.write_all(tmp_path, [artifact("b")], maker="two")
    assert {path.name for path in tmp_path.iterdir()} == {"a", MANIFEST}


def test_a_file_in_the_place_of_a_folder_is_said_and_stays(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine", "utf-8")
    with pytest.raises(HostError, match="is no folder"):
        files.require_maker(tmp_path / "out", "shoal deploy aws")
    assert (tmp_path / "out").read_text("utf-8") == "mine"


def test_a_folder_of_nobody_is_taken_over(tmp_path: Path) -> None:
    files.write_all(tmp_path, [artifact("a")])
    assert files.write_all(tmp_path, [], maker="one") == (Entry(path="a", change="removed"),)
    with pytest.raises(HostError):
        files.require_maker(tmp_path, "two")


def test_a_file_of_somebody_else_is_in_the_way_unless_it_reads_the_same(tmp_path: Path) -> None:
    files.write_all(tmp_path, [artifact("ours")], maker="one")
    (tmp_path / "theirs").write_text("by hand")
    files.require_ours(tmp_path, [artifact("ours", "new"), artifact("more"), artifact("theirs", "by hand")])
    with pytest.raises(HostError, match="theirs would be overwritten"):
        files.require_ours(tmp_path, [artifact("theirs")])


def test_a_file_in_place_of_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(HostError) as refused:
        files.write(tmp_path / "file", [artifact("a")])
    assert refused.value.hint == "a file stands where a folder has to be: name another folder"
