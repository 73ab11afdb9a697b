"""``shoal check`` and ``shoal explain`` as they are typed: forms, exit codes, mending, baselines, rules of packages."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from shoal.check.formats.table import FORMATS
from shoal.check.rule import Rule, nothing
from shoal.check.table import RULES
from shoal.cli.checking import rules
from shoal.cli.commands import check
from shoal.cli.commands.check import FORMS
from tests.check.projects import written
from tests.cli.run import Run

SYSTEM = """
import urllib.request

from shoal import Objective, Service, System, anyone

rates = Service("rates", objectives=[Objective(availability=0.99)])

@rates.get("/rates", access=anyone)
async def today() -> str:
    '''What one unit is worth today.'''
{lines}


system = System("bank", services=[rates])
"""
CALL = '    return str(urllib.request.urlopen("http://127.0.0.1:9"))'
IDLE = '    return "1"  # shoal: ignore[SH301] it is on this machine'
BAD, GOOD = SYSTEM.format(lines=CALL), SYSTEM.format(lines='    return "1"')
MINE = Rule(code="ACME001", name="mine", severity="error", summary="mine", page="Mine.", find=nothing)


def project(root: Path, system: str = BAD, **files: str) -> Path:
    return written(root, {"system.py": system, **{name.replace("__", "."): text for name, text in files.items()}})


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("system", "words", "code"),
    [
        (BAD, (), 1),
        (GOOD, (), 0),
        (BAD, ("--fail-on", "never"), 0),
        (BAD, ("--only", "SH1"), 0),
        (SYSTEM.format(lines=IDLE), ("--fail-on", "error"), 0),
        (SYSTEM.format(lines=IDLE), (), 1),
        ("import nowhere", (), 1),
        ("def (", (), 1),
        (BAD, ("--only", "SH9"), 2),
    ],
)
def test_the_exit_code_is_the_same_in_every_form(
    run: Run, tmp_path: Path, form: str, system: str, words: tuple[str, ...], code: int
) -> None:
    project(tmp_path, system)
    assert run("check", "-f", form, *words)[0] == code


def test_only_what_is_named_is_asked(run: Run, tmp_path: Path) -> None:
    idle = "    return ''  # shoal: ignore[PLAN-SAGA-01, SH301] nothing of both is here"
    project(tmp_path, SYSTEM.format(lines=idle))
    assert run("check", "-f", "concise", "--only", "SH301")[:2] == (0, "")
    assert "nothing is found here of SH301," in run("check", "-f", "concise", "--only", "SH301", "--only", "SH0")[1]
    assert "nothing is found here of PLAN-SAGA-01, SH301," in run("check", "-f", "concise")[1]


def test_every_form_can_be_asked_for() -> None:
    assert tuple(FORMATS) == FORMS


def test_findings_are_data_and_the_rest_is_said_beside(run: Run, tmp_path: Path) -> None:
    project(tmp_path)
    code, out, err = run("check")
    assert (code, out.splitlines()[0].partition(" ")[0]) == (1, "system.py:11:16")
    assert "✗ 1 error in 1 service, 1 file" in err
    code, out, err = run("check", "-f", "json")
    assert (json.loads(out)["findings"][0]["code"], err) == ("SH301", "")


def test_nothing_is_printed_where_nothing_is_found(run: Run, tmp_path: Path) -> None:
    project(tmp_path, GOOD)
    code, out, err = run("check")
    assert (code, out) == (0, "")
    assert "✓ no findings" in err
    assert run("-q", "check") == (0, "", "")


def test_what_is_let_pass_is_listed_when_more_is_asked_for(run: Run, tmp_path: Path) -> None:
    project(tmp_path, SYSTEM.format(lines=f"{CALL}  # shoal: ignore[SH301] it is on this machine"))
    assert "1 let pass" in run("check")[2]
    assert "it is on this machine" in run("-v", "check")[2]


def test_a_system_that_cannot_be_read_is_a_finding(run: Run, tmp_path: Path) -> None:
    project(tmp_path, GOOD.replace('"/rates"', '"rates"'))
    code, out, _ = run("check", "-f", "json")
    (found,) = json.loads(out)["findings"]
    assert (code, found["code"], found["where"]["file"], found["where"]["line"]) == (1, "SH002", "system.py", 8)
    assert '8 | @rates.get("rates"' in run("check")[1], "with its line, as every finding"


def test_modules_that_are_imported_later_are_looked_at_and_not_run(run: Run, tmp_path: Path) -> None:
    lines = "    from bank import slow\n\n    importlib.import_module('bank.fast')\n    return str(slow)"
    adapter = "import urllib.request\n\nraise SystemExit(9)\nurllib.request.urlopen('http://127.0.0.1:9')\n"
    written(tmp_path, {"bank/__init__.py": "", "bank/slow.py": adapter, "bank/fast.py": adapter})
    project(tmp_path, f"import importlib\n\nimport bank\n{SYSTEM.format(lines=lines)}")
    found = json.loads(run("check", "--only", "SH301", "-f", "json")[1])["findings"]
    assert [f["where"]["file"] for f in found] == ["bank/fast.py", "bank/slow.py"]


def test_a_folder_without_a_system_is_a_mistake_of_the_command(run: Run, tmp_path: Path) -> None:
    code, out, err = run("check")
    assert (code, out, "there is no system" in err) == (2, "", True)


@pytest.mark.parametrize(
    "text",
    ["[tool.shoal.check]\nfail = 1", '[tool.shoal.check.options.SH101]\nmost = "x"', "[tool", "tool.shoal.check = 1"],
)
def test_a_mistake_in_the_settings_is_a_mistake_of_the_command(run: Run, tmp_path: Path, text: str) -> None:
    project(tmp_path, pyproject__toml=text)
    code, out, err = run("check")
    assert (code, out, "pyproject.toml" in err) == (2, "", True), err


def test_the_settings_say_when_it_fails(run: Run, tmp_path: Path) -> None:
    project(tmp_path, pyproject__toml='[tool.shoal.check]\nfail-on = "never"\n')
    assert run("check")[0] == 0
    assert run("check", "--fail-on", "error")[0] == 1


def test_what_is_safe_to_mend_is_mended(run: Run, tmp_path: Path) -> None:
    project(tmp_path, SYSTEM.format(lines=IDLE))
    code, out, err = run("check", "--fix")
    assert (code, out) == (0, "")
    assert "mended system.py:11:17 SH004" in err
    assert (tmp_path / "system.py").read_text("utf-8") == GOOD
    assert run("check", "--fix")[0] == 0


def test_mending_keeps_ends_of_lines(run: Run, tmp_path: Path) -> None:
    (tmp_path / "system.py").write_bytes(SYSTEM.format(lines=IDLE).replace("\n", "\r\n").encode())
    assert run("check", "--fix")[0] == 0
    assert (tmp_path / "system.py").read_bytes() == GOOD.replace("\n", "\r\n").encode()


def test_a_baseline_begins_with_all_and_only_shrinks(run: Run, tmp_path: Path) -> None:
    project(tmp_path)
    baseline = ("check", "--baseline", "old.json")
    assert run(*baseline, "--shrink")[0] == 2
    assert run("check", "--begin")[0] == 2
    code, _, err = run(*baseline, "--begin")
    assert (code, "1 finding let pass" in err) == (0, True)
    assert run(*baseline)[0] == 0
    assert run(*baseline, "--begin")[0] == 2
    project(tmp_path, SYSTEM.format(lines=f"    if rates:\n    {CALL}\n{CALL}"))
    code, out, _ = run(*baseline)  # the line is there twice by now
    assert (code, out.count("SH301 [error]")) == (1, 1)
    assert run(*baseline, "--shrink")[0] == 1
    assert '"count":1' in (tmp_path / "old.json").read_text("utf-8")
    project(tmp_path, GOOD)
    code, out, _ = run(*baseline)
    assert (code, out.startswith("old.json:4 SH006 [warning]")) == (1, True)
    assert run(*baseline, "--shrink")[0] == 0
    assert '"findings": []' in (tmp_path / "old.json").read_text("utf-8")


def test_shrinking_keeps_what_nobody_looked_at(run: Run, tmp_path: Path) -> None:
    project(tmp_path)
    baseline = ("check", "--baseline", "old.json")
    run(*baseline, "--begin")
    project(tmp_path, GOOD)
    before = (tmp_path / "old.json").read_text("utf-8")
    code, out, _ = run(*baseline, "--only", "SH1", "--shrink")
    assert (code, out, (tmp_path / "old.json").read_text("utf-8")) == (0, "", before)
    assert run(*baseline, "--only", "SH301", "--shrink")[0] == 0
    assert (tmp_path / "old.json").read_text("utf-8") != before


def test_a_baseline_that_is_none_is_a_mistake_of_the_command(run: Run, tmp_path: Path) -> None:
    project(tmp_path, old__json="{")
    code, _, err = run("check", "--baseline", "old.json")
    assert (code, "old.json: this is no baseline" in err) == (2, True)


@pytest.fixture(name="bring")
def _bring(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def bring(value: str) -> None:
        point = EntryPoint(name="mine", value=value, group=rules.GROUP)
        monkeypatch.setattr(rules, "entry_points", lambda group: (point,))

    return bring


def test_files_that_are_named_have_to_be_there(run: Run, tmp_path: Path) -> None:
    project(tmp_path)
    for more, said in (
        (("--baseline", "nope.json"), "there is no nope.json; --begin writes it"),
        (("--contracts", "nope"), "there is no folder nope"),
    ):
        code, out, err = run("check", *more)
        assert (code, out) == (2, "")
        assert said in err


def test_codes_are_known_in_any_letters_and_a_beginning_lists_its_rules(run: Run, tmp_path: Path) -> None:
    project(tmp_path)
    assert run("check", "--only", "sh301", "-o", "concise")[1].startswith("system.py:11:16 SH301")
    code, out, _ = run("explain", "sh3")
    assert (code, "SH301" in out, "SH401" in out) == (0, True, False)
    assert "did you mean call-without-timeout" in run("explain", "timeout")[2]
    assert "shoal explain lists them" in run("explain", "SH999")[2]
    assert "shoal explain SH3 lists them" in run("explain", "SH3999")[2]
    assert "did you mean SH310?" in run("explain", "sh31O")[2]
    assert "did you mean SH301?" in run("explain", "SH3011")[2]
    assert "did you mean DEPLOY-AWS-12?" in run("explain", "DEPLOY-AWS12")[2]


def test_a_file_that_is_not_in_utf_8_is_looked_at_and_never_mended(run: Run, tmp_path: Path) -> None:
    project(tmp_path, SYSTEM.format(lines=IDLE))
    file = tmp_path / "system.py"
    file.write_bytes(b"# caf\xe9" + file.read_bytes())
    before = file.read_bytes()
    code, out, err = run("check", "--fix", "-o", "concise")
    assert (code, "SH004" in out) == (1, True)
    assert ", 1 file, " in err
    assert file.read_bytes() == before


def test_a_rule_of_a_package_is_asked_and_explained(run: Run, tmp_path: Path, bring: Callable[[str], None]) -> None:
    project(tmp_path, GOOD)
    bring(f"{__name__}:MINE")
    sys.modules[__name__].__dict__["MINE"] = MINE
    assert "ACME001" in json.loads(run("check", "-f", "json")[1])["asked"]
    assert "ACME001" in run("explain", "mine")[1]


def test_a_rule_that_is_called_as_another_one_is_a_finding(
    run: Run, tmp_path: Path, bring: Callable[[str], None]
) -> None:
    project(tmp_path, GOOD)
    bring(f"{__name__}:LIKE")
    sys.modules[__name__].__dict__["LIKE"] = dataclasses.replace(MINE, name="call-cycle")
    (found,) = json.loads(run("check", "-f", "json")[1])["findings"]
    assert "is called call-cycle, as another one is" in found["message"]


def test_the_mark_of_the_last_line_is_that_of_the_exit_code(run: Run, tmp_path: Path) -> None:
    project(tmp_path)
    for fail_on, code, mark in (("error", 1, "✗"), ("never", 0, "✓")):
        ended, _, err = run("check", "--fail-on", fail_on)
        assert (ended, err.splitlines()[-1][0]) == (code, mark)


def test_a_concise_finding_is_one_line_also_of_an_error_of_syntax(run: Run, tmp_path: Path) -> None:
    project(tmp_path, "orders = (\n")
    assert len(run("check", "-o", "concise")[1].splitlines()) == 1


@pytest.mark.parametrize("folder", ["k8s", "ops/cluster", "infra", "docker"])
def test_files_beside_the_modules_are_found_in_the_usual_folders(run: Run, tmp_path: Path, folder: str) -> None:
    project(tmp_path, GOOD)
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "compose.dev.yaml").write_text("services:\n  db:\n    image: postgres:11\n", "utf-8")
    assert run("check", "-o", "concise")[1].startswith(f"{folder}/compose.dev.yaml:3 SH409")


@pytest.mark.parametrize("value", ["nowhere:MINE", "json:dumps", "shoal.check.rules.chain_too_long:RULE"])
def test_a_rule_that_is_none_is_a_finding(run: Run, tmp_path: Path, bring: Callable[[str], None], value: str) -> None:
    project(tmp_path, GOOD)
    bring(value)
    code, out, _ = run("check", "-f", "json")
    (found,) = json.loads(out)["findings"]
    assert (code, found["code"], value in found["message"]) == (1, "SH001", True)


def test_every_code_is_explained(run: Run) -> None:
    for rule in RULES:
        code, out, _ = run("explain", rule.code.lower())
        assert (code, out.startswith(f"# {rule.code}: {rule.name}")) == (0, True)
    assert run("explain", "PLAN-SAGA-01")[1].startswith("PLAN-SAGA-01: An event")
    assert run("explain", "deploy-aws-12")[1].startswith("DEPLOY-AWS-12: No firewall")
    assert run("explain", "DEPLOY-SPLIT")[1].count("DEPLOY-SPLIT-0") == 2
    assert json.loads(run("explain", "PLAN-T", "-o", "json")[1])[0]["code"] == "PLAN-TLS-01"
    assert len(json.loads(run("explain", "-o", "json")[1])) == len(RULES)
    code, _, err = run("explain", "chain-to-long")
    assert (code, "did you mean chain-too-long?" in err) == (2, True)


def test_a_project_whose_modules_lie_in_a_folder_is_shown_and_mended_there(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(
        tmp_path, {"src/bank.py": SYSTEM.format(lines=IDLE), "pyproject.toml": '[tool.shoal]\nsystem = "bank:system"\n'}
    )
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    assert run("check", "-f", "concise")[1].startswith("src/bank.py:11:17 SH004")
    assert run("check", "--fix")[0] == 0
    assert (tmp_path / "src/bank.py").read_text("utf-8") == GOOD
    assert not (tmp_path / "bank.py").exists()


def test_contracts_that_cannot_be_read_are_a_finding_and_the_rules_are_asked(run: Run, tmp_path: Path) -> None:
    project(tmp_path, BAD)
    written(tmp_path, {"contracts/rates/http.json": "{"})
    code, out, _ = run("check", "-f", "json")
    assert (code, [f["code"] for f in json.loads(out)["findings"]]) == (1, ["SH301", "SH002"])


def test_mending_keeps_rights(run: Run, tmp_path: Path) -> None:
    project(tmp_path, SYSTEM.format(lines=IDLE))
    (tmp_path / "system.py").chmod(0o750)
    assert run("check", "--fix")[0] == 0
    assert (tmp_path / "system.py").stat().st_mode & 0o777 == 0o750


def test_forms_for_a_repository_name_files_from_its_top(run: Run, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)  # noqa: S603, S607 - the tests' own folder
    project(tmp_path / "services/shop")
    folder = ("-C", str(tmp_path / "services/shop"))
    assert run(*folder, "check", "-f", "github")[1].startswith("::error file=services/shop/system.py,")
    assert '"uri": "services/shop/system.py"' in run(*folder, "check", "-f", "sarif")[1]
    assert run(*folder, "check", "-f", "concise")[1].startswith("system.py:11:16 ")


def test_a_new_project_has_nothing_to_be_found(run: Run, tmp_path: Path) -> None:
    assert run("new", "demo")[0] == 0
    assert run("-C", str(tmp_path / "demo"), "check")[:2] == (0, "")


def test_what_takes_long_says_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 0.5, 1.5, 2.0, 3.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    progress = check._Progress()
    for code in ("SH101", "SH102", "SH103", "SH104"):
        progress.told(code)
    assert capsys.readouterr().err.splitlines() == ["checking, 2 s: SH102", "checking, 3 s: SH104"]
