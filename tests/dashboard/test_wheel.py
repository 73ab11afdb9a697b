"""What is installed: every file of the pages, and the licence of every library beside them."""

import gzip
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from shoal.dashboard.server.files import FOLDER

ROOT = Path(__file__).parents[2]


def test_a_wheel_has_every_file_of_the_pages(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - the build backend
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    files = {f"shoal/dashboard/static/{file.relative_to(FOLDER).as_posix()}" for file in FOLDER.rglob("*.*")}
    assert len(files) > 50
    assert files <= inside


def test_every_library_has_its_licence_and_a_row() -> None:
    vendor = FOLDER / "vendor"
    told = dict(
        re.findall(r"^\| (.*?) \|.*\| .*`(.*?LICENSE)` \|$", (vendor / "README.md").read_text("utf-8"), re.MULTILINE)
    )
    named = {name for files in told for name in re.findall(r"`(.*?)`", files)}
    assert named == {file.name for file in vendor.glob("*.js")}
    assert set(told.values()) == {file.name for file in vendor.glob("*.LICENSE")}


def test_the_pages_stay_small() -> None:
    """Bytes, packed, as decision 57 counts them."""
    ours = [file for file in FOLDER.rglob("*.js") if "vendor" not in file.parts]
    others = FOLDER.glob("vendor/*.js")
    sizes = [len(gzip.compress(b"".join(file.read_bytes() for file in some), 9)) for some in (ours, others)]
    assert sizes[0] < 90_000
    assert sizes[1] < 60_000


def test_nothing_of_ours_names_another_machine_or_runs_text() -> None:
    for file in FOLDER.rglob("*"):
        if file.suffix not in (".js", ".css") or "vendor" in file.parts:
            continue
        source = file.read_text("utf-8")
        hosts = set(re.findall(r"https?://([\w.]+)", source)) - {"www.w3.org", "127.0.0.1"}
        assert not hosts, file
        assert not re.search(r"\beval\(|new Function|innerHTML|dangerouslySetInnerHTML", source), file
        assert source.count("\n") <= 400, file
