"""``shoal check --targets``: what lies where a system is deployed from, against the system and its budgets."""

import json
from pathlib import Path

import pytest

from shoal.cli.checking.placed import gather
from shoal.files import MANIFEST
from shoal.operating.where import Project
from tests.check.projects import importing, written
from tests.cli.run import Run

SYSTEM = '''
from shoal import Objective, Service, System, anyone

rates = Service("rates", objectives=[Objective(availability=0.99)]{more})

@rates.get("/rates", access=anyone)
async def today() -> str:
    """What one unit is worth today."""
    return "1"


system = System("bank", services=[rates])
'''
PRODUCTION = 'name = "production"\nhosts = ["bank.example"]\n'
AWS = 'name = "production"\naccount = "123456789012"\nregion = "eu-central-1"\nbudget = {budget}\n'


@pytest.fixture(name="deployed")
def _deployed(run: Run, tmp_path: Path) -> Path:
    """Write a system's files for Kubernetes, with words that matter: an environment, and no lines of Python."""
    written(tmp_path, {"system.py": SYSTEM.format(more=""), "targets/production.toml": PRODUCTION})
    code, _, err = run("deploy", "kubernetes", "--out", "deploy", "--no-source", "--target", "targets/production.toml")
    assert code == 0, err
    return tmp_path


def drifted(run: Run) -> list[tuple[str, str]]:
    """Tell what is found of files, and of which."""
    found = json.loads(run("check", "--targets", "--only", "SH704", "-o", "json")[1])
    assert "SH704" in found["asked"]
    return [(one["where"]["file"], one["message"]) for one in found["findings"]]


def test_files_as_they_were_written_are_not_found(run: Run, deployed: Path) -> None:
    assert (deployed / "deploy" / MANIFEST).read_text("utf-8").splitlines()[:2] == [
        "# shoal deploy kubernetes",
        "# --target targets/production.toml --no-source",
    ]
    assert drifted(run) == []


def test_a_line_that_somebody_changed_is_found_in_its_file(run: Run, deployed: Path) -> None:
    file = deployed / "deploy/base/rates/deployment.yaml"
    file.write_text(file.read_text("utf-8").replace("runAsNonRoot: true", "runAsNonRoot: false"), "utf-8")
    assert drifted(run) == [("deploy/base/rates/deployment.yaml", "deploy is not what the system says: 1 changed")]
    out = run("check", "--targets", "--only", "SH704")[1]
    again = "shoal deploy kubernetes --out deploy --target targets/production.toml --no-source"
    assert again in out
    assert run(*again.split()[1:])[0] == 0
    assert drifted(run) == [], "the command that is named mends it"


def test_a_service_that_is_new_and_a_file_that_is_gone_are_found(run: Run, deployed: Path) -> None:
    more = 'other = Service("other")\nsystem = System("bank", services=[rates, other])\n'
    written(deployed, {"system.py": SYSTEM.format(more="") + more})
    (deployed / "deploy/base/rates/deployment.yaml").unlink()
    ((_, message),) = drifted(run)
    assert "changed" in message
    assert "missing" in message


def test_a_folder_that_cannot_be_compared_says_why(run: Run, deployed: Path) -> None:
    (deployed / "targets/production.toml").unlink()
    (_, message), = drifted(run)  # fmt: skip
    assert (
        message
        == "deploy cannot be compared with the system: cannot read targets/production.toml: No such file or directory"
    )


def test_folders_of_others_are_left_alone(run: Run, deployed: Path) -> None:
    written(deployed, {f"docs/{MANIFEST}": "# make docs\nx\n", f".old/{MANIFEST}": "# shoal deploy aws\nx\n"})
    assert drifted(run) == []


def test_nobody_compares_where_nobody_asks(run: Run, deployed: Path) -> None:
    (deployed / "deploy/base/rates/deployment.yaml").unlink()
    assert {"SH704", "SH706"} <= {one["code"] for one in json.loads(run("check", "-o", "json")[1])["unasked"]}
    written(deployed, {"pyproject.toml": "[tool.shoal.check]\ntargets = true\n"})
    assert "SH704" in run("check", "-o", "concise")[1]


def bills(run: Run, root: Path, **files: str) -> list[tuple[str, int]]:
    written(root, {"system.py": SYSTEM.format(more=""), **files})
    found = json.loads(run("check", "--targets", "--only", "SH706", "-o", "json")[1])["findings"]
    return [(one["where"]["file"], one["where"]["line"]) for one in found]


def test_a_budget_that_is_too_small_is_found_at_its_line(run: Run, tmp_path: Path) -> None:
    file = "targets/aws-production.toml"
    assert bills(run, tmp_path, **{file: AWS.format(budget=1)}) == [(file, 4)]
    (code, out, _) = run("check", "--targets", "--only", "SH706")
    assert code == 1
    assert "which is more than its budget of 1" in out
    assert "write usage.toml" in out
    assert bills(run, tmp_path, **{file: AWS.format(budget=100_000)}) == []


def test_what_is_counted_is_what_shoal_cost_says(run: Run, tmp_path: Path) -> None:
    file = "targets/aws-production.toml"
    bills(run, tmp_path, **{file: AWS.format(budget=1), "usage.toml": "requests = 50000000\n"})
    with importing(tmp_path):
        (one,) = gather(Project(root=tmp_path)).bills
    said = json.loads(run("cost", "--target", file, "--usage", "usage.toml", "-o", "json")[1])
    assert (f"{one.expected:.2f}", one.assumed) == (f"{float(said['total']['expected']):.2f}", False)


def test_a_region_without_prices_is_said_and_a_cluster_has_no_bill(run: Run, tmp_path: Path) -> None:
    nowhere = AWS.format(budget=1).replace("eu-central-1", "ap-south-1")
    assert bills(run, tmp_path, **{"targets/aws-production.toml": nowhere}) == [("targets/aws-production.toml", 4)]
    (one,) = json.loads(run("check", "--targets", "--only", "SH706", "-o", "json")[1])["findings"]
    assert (one["severity"], "is not known" in one["message"]) == ("info", True)
    written(tmp_path, {"targets/aws-production.toml": PRODUCTION, "targets/production.toml": "budget = 3\n"})
    assert bills(run, tmp_path) == []
