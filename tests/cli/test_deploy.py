"""``shoal deploy kubernetes`` on a project in a folder: written, compared, checked, refused."""

import json
from pathlib import Path

import pytest

from tests.cli.cafe import SYSTEM
from tests.cli.run import Run

TARGET = """\
name = "production"
hosts = ["cafe.example"]
version = "{version}"
"""
WRITE = ("deploy", "kubernetes", "--out", "out")


@pytest.fixture(name="run")
def _run(run: Run, tmp_path: Path) -> Run:
    (tmp_path / "system.py").write_text(SYSTEM, "utf-8")
    (tmp_path / "production.toml").write_text(TARGET.format(version="1.0.0"), "utf-8")
    return run


def test_it_writes_what_is_missing_and_says_so(run: Run, tmp_path: Path) -> None:
    code, out, err = run(*WRITE)
    assert code == 0
    assert "added    base/till/deployment.yaml\n" in out
    assert "added    overlays/staging/kustomization.yaml\n" in out
    assert " files, " in err
    text = (tmp_path / "out/base/till/deployment.yaml").read_text("utf-8")
    assert "# Declared in system.py:4.\n" in text
    code, out, err = run(*WRITE)
    assert (code, out) == (0, "")
    assert "0 changed" in err


def test_objects_can_do_without_the_line_that_they_come_from(run: Run, tmp_path: Path) -> None:
    assert run(*WRITE, "--no-source")[0] == 0
    assert "Declared in" not in (tmp_path / "out/base/till/deployment.yaml").read_text("utf-8")


def test_a_difference_is_shown_with_the_summary_last_and_nothing_is_written(run: Run, tmp_path: Path) -> None:
    target = ("--target", "production.toml")
    assert run(*WRITE, *target)[0] == 0
    assert run(*WRITE, *target, "--diff")[1] == ""
    (tmp_path / "production.toml").write_text(TARGET.format(version="1.1.0"), "utf-8")
    code, out, err = run(*WRITE, *target, "--diff")
    assert code == 0
    assert "~ overlays/production/kustomization.yaml\n    ...\n" in out
    assert '    -    newTag: "1.0.0"\n    +    newTag: "1.1.0"\n' in out
    assert "0 to add, 2 to change, 0 to remove" in err
    assert 'newTag: "1.0.0"' in (tmp_path / "out/overlays/production/kustomization.yaml").read_text("utf-8")


def test_what_would_come_and_go_is_named_by_its_objects(run: Run) -> None:
    assert "+ base/till/deployment.yaml\n    + Deployment till\n" in run(*WRITE, "--diff")[1]
    run(*WRITE)
    out = run(*WRITE, "--target", "production.toml", "--diff")[1]
    assert "- overlays/dev/namespace.yaml\n    - Namespace cafe-dev\n" in out


def test_a_check_fails_while_files_are_out_of_date(run: Run, tmp_path: Path) -> None:
    code, out, _ = run(*WRITE, "--check")
    assert code == 1
    assert "added    base/till/service.yaml\n" in out
    assert not (tmp_path / "out").exists()
    run(*WRITE)
    assert run(*WRITE, "--check")[:2] == (0, "")
    (tmp_path / "out/base/till/service.yaml").write_text("changed by hand\n", "utf-8")
    assert run(*WRITE, "--check")[:2] == (1, "changed  base/till/service.yaml\n")
    assert json.loads(run(*WRITE, "--check", "-o", "json")[1]) == [
        {"path": "base/till/service.yaml", "change": "changed"}
    ]


def test_patches_of_people_are_taken_up_and_survive(run: Run, tmp_path: Path) -> None:
    run(*WRITE)
    patch = tmp_path / "out/overlays/staging/patches/more.yaml"
    patch.parent.mkdir()
    patch.write_text("kind: Deployment\n", "utf-8")
    code, out, _ = run(*WRITE)
    assert (code, out) == (0, "changed  overlays/staging/kustomization.yaml\n")
    assert "  - path: patches/more.yaml\n" in (tmp_path / "out/overlays/staging/kustomization.yaml").read_text("utf-8")
    assert patch.read_text("utf-8") == "kind: Deployment\n"


def test_what_an_environment_no_longer_has_is_removed(run: Run, tmp_path: Path) -> None:
    run(*WRITE)
    code, out, _ = run(*WRITE, "--target", "production.toml")
    assert code == 0
    assert "removed  overlays/dev/namespace.yaml\n" in out
    assert not (tmp_path / "out/overlays/dev").exists()


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ('name = "p"\nmoon = 1', 1, "error: production.toml: there is no setting `moon`"),
        ('name = "p"\nchoose = ["till.store=memory"]', 1, "DEPLOY-ENGINE-01"),
        ('name = "p"\nchoose = ["broker=zeromq"]', 1, "zeromq"),
    ],
)
def test_what_cannot_be_is_refused_with_nothing_written(
    run: Run, tmp_path: Path, text: str, code: int, said: str
) -> None:
    (tmp_path / "production.toml").write_text(text, "utf-8")
    found, _, err = run(*WRITE, "--target", "production.toml")
    assert (found, said in err) == (code, True), err
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_not_there_is_named(run: Run) -> None:
    code, _, err = run(*WRITE, "--target", "staging.toml")
    assert code == 1
    assert "cannot read staging.toml: No such file or directory" in err


def test_two_objects_never_have_one_name(run: Run, tmp_path: Path) -> None:
    (tmp_path / "system.py").write_text(SYSTEM.replace('"till"', '"edge"'), "utf-8")
    code, _, err = run(*WRITE)
    assert code == 1
    assert "two objects would be" in err
    assert "rename it" in err


def test_what_another_command_or_a_person_wrote_is_neither_removed_nor_overwritten(run: Run, tmp_path: Path) -> None:
    assert run(*WRITE)[0] == 0
    before = sorted(tmp_path.rglob("out/**/*"))
    for more in ((), ("--diff",), ("--check",)):
        code, out, err = run("deploy", "aws", "--out", "out", *more)
        assert (code, out) == (3, "")
        assert "holds what `shoal deploy kubernetes` wrote, which `shoal deploy aws` would remove\nhint: " in err
    assert sorted(tmp_path.rglob("out/**/*")) == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/README.md").write_text("by hand\n", "utf-8")
    code, out, err = run("deploy", "kubernetes", "--out", "mine")
    assert (code, out) == (3, "")
    assert "README.md would be overwritten, and was not written by this command" in err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["README.md"]


def test_quiet_says_nothing_of_files_that_were_written(run: Run) -> None:
    assert run("-q", *WRITE, "--target", "production.toml")[2].count("files,") == 0
