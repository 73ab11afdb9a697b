"""Checkov finds nothing in what is written but the exceptions that are written beside it, and each of these is needed.

It takes seconds and an environment of its own, so `make matrix` asks it; the rules of `test_restricted.py` hold always.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from shoal import files
from shoal.deploy.kubernetes.exceptions import EXCEPTIONS
from shoal.deploy.kubernetes.settings import Environment
from shoal.model.system import System
from tests.deploy.samples import CAFE, artifacts, shop

HOME = Path(__file__).parents[2]
CHECKOV = HOME / ".venv-checkov" / "bin" / "checkov"
if "SHOAL_MATRIX" not in os.environ:
    pytest.skip("`make matrix` asks Checkov", allow_module_level=True)

pytestmark = [
    pytest.mark.skipif(not CHECKOV.exists(), reason="Checkov is not in .venv-checkov; `make matrix` puts it there"),
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl, which builds what is checked, is not here"),
]
SKIPPED = ("--skip-check", ",".join(EXCEPTIONS))
PRODUCTION = Environment(name="production", least=3, most=10)


def built(folder: Path, system: System, environment: Environment = PRODUCTION) -> Path:
    """Write a system, and build its overlay beside it."""
    files.write_all(folder, artifacts(system, environment))
    with (folder / "built.yaml").open("wb") as file:
        command = ["kubectl", "kustomize", str(folder / "overlays" / environment.name)]
        subprocess.run(command, stdout=file, check=True)  # noqa: S603
    return folder


def failed(folder: Path, *words: str) -> set[tuple[str, str]]:
    """Check the overlay and the images; return the rules that do not hold, and for what."""
    found = set()
    for what in (("--file", "built.yaml"), ("--directory", "images")):
        command = [str(CHECKOV), *what, "--skip-download", "--quiet", "--compact", "--output", "json"]
        command += ["--framework", "kubernetes", "dockerfile", *words]
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
        answer: Any = json.loads(ended.stdout)
        for report in answer if isinstance(answer, list) else [answer]:
            results = report.get("results", {})
            found |= {(one["check_id"], one["resource"]) for one in results.get("failed_checks", ())}
            assert report.get("summary", report)["parsing_errors"] == 0
            assert not results or report["summary"]["passed"] > 10
    return found


@pytest.mark.parametrize("mesh", ["istio", "istio-ambient", "linkerd"])
def test_the_cafe_has_no_other_exceptions(mesh: Any, tmp_path: Path) -> None:
    environment = Environment(name="production", mesh=mesh, release="canary" if mesh == "istio" else "rolling")
    assert failed(built(tmp_path, CAFE, environment), *SKIPPED) == set()


def test_the_shop_has_no_other_exceptions_and_each_is_needed(tmp_path: Path) -> None:
    built(tmp_path, shop())
    assert failed(tmp_path, *SKIPPED) == set()
    needed = failed(tmp_path)
    assert {rule for rule, _ in needed} == EXCEPTIONS.keys()
    own = {resource.split(".")[-1].partition("-")[0] for rule, resource in needed if rule == "CKV_K8S_40"}
    assert own == {"mongo", "opensearch"}


def test_a_mistake_is_seen(tmp_path: Path) -> None:
    file = built(tmp_path, CAFE) / "built.yaml"
    text = file.read_text("utf-8").replace("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false")
    file.write_text(text.replace("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"), "utf-8")
    assert {rule for rule, _ in failed(tmp_path, *SKIPPED)} == {"CKV_K8S_20", "CKV_K8S_22"}
