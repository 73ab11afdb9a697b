"""Pipelines and Argo CD's files, to be read; ``SHOAL_UPDATE_GOLDEN=1`` writes them anew."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from shoal import files
from shoal.deploy.delivery.argocd import Wish as Argo
from shoal.deploy.delivery.argocd import compile_argocd
from shoal.deploy.helm.chart import compile_helm
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.pipelines.github import compile_github
from shoal.deploy.pipelines.gitlab import compile_gitlab
from shoal.deploy.pipelines.wish import Wish
from shoal.model.artifact import Artifact
from tests.deploy.samples import CAFE, scope_of

GOLDEN = Path(__file__).parents[2] / "golden" / "delivery"
PIPELINES = Wish(system="cafe", registry="ghcr.io/example")
ARGO = Argo(repository="https://github.com/example/cafe", previews="github:example/cafe")
DEV, PRODUCTION = Environment(name="dev", least=1), Environment(name="production", release="canary")
MADE: dict[str, Sequence[Artifact]] = {
    "github": compile_github(PIPELINES),
    "gitlab": compile_gitlab(PIPELINES),
    "argocd": compile_argocd(scope_of(CAFE, DEV), ARGO),
    "chart": [
        a for a in compile_helm(scope_of(CAFE, PRODUCTION)) if a.path.split("/")[-1] in ("values.yaml", "till.yaml")
    ],
}


@pytest.mark.parametrize("name", MADE)
def test_what_is_written_is_the_golden_one(name: str) -> None:
    folder, artifacts = GOLDEN / name, MADE[name]
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        files.write_all(folder, artifacts)
    found = {str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file() and f.name != files.MANIFEST}
    assert found == {artifact.path for artifact in artifacts}, "a golden is missing, or an orphan"
    for artifact in artifacts:
        assert artifact.text == (folder / artifact.path).read_text("utf-8"), artifact.path
