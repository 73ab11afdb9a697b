"""Terraform accepts every file, by the schemas of Azure's provider, and policies have known elements alone."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shoal import files
from shoal.deploy.azure.compile import findings
from shoal.deploy.azure.settings import Environment
from shoal.model.artifact import Artifact
from shoal.model.system import System
from tests.deploy.authority import BESIDE, with_ours
from tests.deploy.azure.samples import CLUSTER, FAR, LENT, MAIL, POST, PRODUCTION, SMALL, UNSEEN, artifacts, scope_of
from tests.deploy.samples import CAFE, shop
from tests.deploy.terraform.terraform import unformatted
from tests.model.strategies import systems

KNOWN = importlib.util.find_spec("tree_sitter_bicep") is not None
"""Whether Bicep can be read here."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (BESIDE / "validate.py").exists():
        pytest.skip(f"the validator of Terraform is not at {BESIDE}")
    if shutil.which("terraform") is None:
        pytest.skip("the program terraform is not here")
    if importlib.util.find_spec("grpc") is None:
        pytest.skip("the package grpcio is not here, by which the schemas are served")
    return with_ours(tmp_path_factory.mktemp("validator"))


def complaints(program: Path, *folders: Path) -> str:
    """Validate folders; empty when every document is known and none fails."""
    ended = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, str(program), "--quiet", *map(str, folders)],
        capture_output=True, text=True, check=False, timeout=180,
    )  # fmt: skip
    return (
        "" if ended.returncode == 0 else f"exit code {ended.returncode}\n{ended.stdout[-6000:]}{ended.stderr[-2000:]}"
    )


def terraform(found: tuple[Artifact, ...]) -> list[Artifact]:
    """Leave out Bicep, which another tool reads."""
    return [one for one in found if not one.path.endswith(".bicep")]


def bicep(found: tuple[Artifact, ...]) -> list[Artifact]:
    return [one for one in found if one.path.endswith((".bicep", ".xml"))]


def test_the_shop_and_a_small_system_are_valid(program: Path, tmp_path: Path) -> None:
    files.write_all(tmp_path / "shop", terraform(artifacts(shop(), PRODUCTION, SMALL, CLUSTER)))
    files.write_all(tmp_path / "cafe", terraform(artifacts(CAFE, SMALL)))
    files.write_all(tmp_path / "far", terraform(artifacts(shop(), replace(FAR, mail=MAIL))))
    files.write_all(tmp_path / "post", terraform(artifacts(shop(), POST, UNSEEN, LENT)))
    assert not complaints(program, tmp_path)
    assert not unformatted(tmp_path)


def test_the_same_in_bicep_is_valid_and_a_mistake_is_seen(program: Path, tmp_path: Path) -> None:
    pytest.importorskip("tree_sitter_bicep", reason="the package tree-sitter-bicep is not here, which reads Bicep")
    files.write_all(tmp_path / "shop", bicep(artifacts(shop(), PRODUCTION, SMALL, CLUSTER)))
    files.write_all(tmp_path / "post", bicep(artifacts(shop(), POST, UNSEEN, LENT)))
    files.write_all(tmp_path / "cafe", bicep(artifacts(CAFE, SMALL)))
    assert not complaints(program, tmp_path)
    place = tmp_path / "cafe/dev/bicep/service-till.bicep"
    place.write_text(place.read_text("utf-8").replace("maxReplicas", "mostReplicas"), "utf-8")
    assert "mostReplicas" in complaints(program, tmp_path / "cafe")


def test_a_mistake_is_seen(program: Path, tmp_path: Path) -> None:
    files.write_all(tmp_path, terraform(artifacts(CAFE)))
    place = tmp_path / "production/service-till.tf"
    place.write_text(place.read_text("utf-8").replace("min_replicas", "least_replicas"), "utf-8")
    files.write_all(tmp_path / "mail", terraform(artifacts(shop(), POST)))
    mail = tmp_path / "mail/post/mail.tf"
    mail.write_text(mail.read_text("utf-8").replace("domain_management ", "domain_managed_by "), "utf-8")
    policy = tmp_path / "production/policies/all.xml"
    policy.write_text(policy.read_text("utf-8").replace("set-header", "put-header"), "utf-8")
    found = complaints(program, tmp_path)
    assert "least_replicas" in found
    assert "domain_managed_by" in found
    assert "put-header" in found


@given(st.lists(systems(), min_size=3, max_size=3))
@settings(max_examples=1, phases=(Phase.generate,), deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_declared_is_valid(
    program: Path, tmp_path_factory: pytest.TempPathFactory, drawn: list[System]
) -> None:
    folder = tmp_path_factory.mktemp("drawn")
    for number, system in enumerate(drawn):
        found = artifacts(system, (SMALL, PRODUCTION, FAR)[number])
        files.write_all(folder / str(number), found if KNOWN else terraform(found))
    assert not complaints(program, folder)
    assert not unformatted(folder)


@given(systems(), st.sampled_from((PRODUCTION, SMALL, CLUSTER, FAR)))
@settings(max_examples=20, deadline=None)
def test_whatever_is_declared_can_be_written_and_is_the_same_again(system: System, environment: Environment) -> None:
    first, second = (scope_of(system, environment) for _ in range(2))
    assert artifacts(system, environment) == artifacts(system, environment)
    assert findings([first]) == findings([second])
