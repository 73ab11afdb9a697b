"""``shoal check PATH``: a system that was not written with Shoal, as it is typed."""

import json
from pathlib import Path

import pytest

from shoal.cli.commands.check import FORMS
from tests.check.projects import written
from tests.cli.run import Run

COMPOSE = """\
services:
  orders:
    image: acme/orders
    mem_limit: 1g
    environment:
      - API_KEY=hunter2
"""
GOOD = COMPOSE.replace("hunter2", "${API_KEY:?}")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("text", "words", "code"),
    [
        (COMPOSE, (), 1),
        (GOOD, (), 0),
        (COMPOSE, ("--fail-on", "never"), 0),
        (COMPOSE, ("--only", "SH1"), 0),
        ("services: [", (), 1),
        (GOOD, ("--only", "SH9"), 2),
    ],
)
def test_the_exit_code_is_the_same_in_every_form(
    run: Run, tmp_path: Path, form: str, text: str, words: tuple[str, ...], code: int
) -> None:
    written(tmp_path, {"compose.yaml": text})
    result, out, _ = run("check", "compose.yaml", "-f", form, *words)
    assert result == code
    assert "hunter2" not in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-",), "files are read by name"),
        (("nowhere.yaml",), "there is no file or folder 'nowhere.yaml'"),
        (("",), "there is no file or folder ''"),
        (("empty",), "nothing in empty describes a system"),
        (("compose.yaml", "--observed"), "compared with declarations of Shoal"),
        (("compose.yaml", "--policy"), "compared with declarations of Shoal"),
        (("compose.yaml", "--contracts", "other"), "compared with declarations of Shoal"),
        ((), "or name files of another kind of system: shoal check compose.yaml k8s/"),
    ],
)
def test_what_cannot_be_meant_is_refused(run: Run, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    written(tmp_path, {"compose.yaml": GOOD, "empty/notes.txt": "", "pyproject.toml": '[tool.shoal]\nsystem = "no:no"'})
    code, out, err = run("check", *words)
    assert (code, out) == (2, "")
    assert said in err


def test_what_is_not_asked_and_not_read_is_said(run: Run, tmp_path: Path) -> None:
    written(tmp_path, {"all/compose.yaml": GOOD, "all/values.yaml": "a: 1", "all/compose.dev.yaml": GOOD})
    code, _, err = run("-v", "check", "all")
    assert code == 0
    assert "not asked SH402 owner-unchecked: needs the source of the system" in err
    assert "not read all/values.yaml: of no kind that tells of a system" in err
    assert "compose.dev.yaml" in err


def test_settings_hold_and_files_lie_anywhere(run: Run, tmp_path: Path) -> None:
    written(tmp_path / "here", {"pyproject.toml": '[tool.shoal.check]\ndisable = ["SH410"]'})
    written(
        tmp_path, {"there/compose.yaml": COMPOSE.replace("acme/orders", "${IMAGE}"), "there/.env": "IMAGE=mongo:4.4"}
    )
    code, out, _ = run("-C", str(tmp_path / "here"), "check", str(tmp_path / "there/compose.yaml"), "-f", "concise")
    assert (code, out.split()[1]) == (1, "SH409")


def test_a_baseline_is_begun_and_shrinks_and_holds_no_secret(run: Run, tmp_path: Path) -> None:
    written(tmp_path, {"compose.yaml": COMPOSE})
    assert run("check", "compose.yaml", "--baseline", "known.json", "--begin")[0] == 0
    text = (tmp_path / "known.json").read_text("utf-8")
    assert json.loads(text)["findings"][0]["line"] == "- API_KEY=********"
    assert run("check", "compose.yaml", "--baseline", "known.json")[0] == 0
    written(tmp_path, {"compose.yaml": GOOD})
    code, out, _ = run("check", "compose.yaml", "--baseline", "known.json", "-f", "concise")
    assert (code, out.split()[:2]) == (1, ["known.json:4", "SH006"])
    assert run("check", "compose.yaml", "--baseline", "known.json", "--shrink")[0] == 0


def test_a_comment_that_is_not_needed_is_taken_away(run: Run, tmp_path: Path) -> None:
    idle = COMPOSE.replace("hunter2", "hunter2  # shoal: ignore[SH410] of a test") + "    # shoal: ignore[SH411] no\n"
    written(tmp_path, {"compose.yaml": idle})
    assert run("check", "compose.yaml")[0] == 1
    assert run("check", "compose.yaml", "--fix")[0] == 0
    assert (tmp_path / "compose.yaml").read_text("utf-8") == idle.replace("    # shoal: ignore[SH411] no\n", "")


def test_secrets_are_not_shown(run: Run, tmp_path: Path) -> None:
    written(tmp_path, {"compose.yaml": COMPOSE})
    _, out, _ = run("check", "compose.yaml")
    assert "6 |       - API_KEY=********\n  |                 ^^^^^^^^\n" in out
