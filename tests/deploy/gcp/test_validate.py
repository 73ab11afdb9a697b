"""Terraform, Cloud Run's interface and OpenAPI 2.0 accept every file, by the schemas of Google's providers."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shoal import files
from shoal.deploy.gcp.compile import findings
from shoal.deploy.gcp.settings import Environment
from shoal.model.system import System
from tests.deploy.authority import BESIDE
from tests.deploy.gcp.samples import CLUSTER, FAR, PRODUCTION, SMALL, artifacts, scope_of
from tests.deploy.samples import CAFE, shop
from tests.deploy.terraform.terraform import unformatted
from tests.model.strategies import systems


@pytest.fixture(scope="module")
def program() -> Path:
    if not (BESIDE / "validate.py").exists():
        pytest.skip(f"the validator of Terraform is not at {BESIDE}")
    if shutil.which("terraform") is None:
        pytest.skip("the program terraform is not here")
    if importlib.util.find_spec("grpc") is None:
        pytest.skip("the package grpcio is not here, by which the schemas are served")
    return BESIDE / "validate.py"


def complaints(program: Path, *folders: Path) -> str:
    """Validate folders; empty when every document is known and none fails."""
    ended = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, str(program), "--quiet", *map(str, folders)],
        capture_output=True, text=True, check=False, timeout=180,
    )  # fmt: skip
    return (
        "" if ended.returncode == 0 else f"exit code {ended.returncode}\n{ended.stdout[-6000:]}{ended.stderr[-2000:]}"
    )


def test_the_shop_and_a_small_system_are_valid(program: Path, tmp_path: Path) -> None:
    files.write_all(tmp_path / "shop", artifacts(shop(), PRODUCTION, SMALL, CLUSTER))
    files.write_all(tmp_path / "cafe", artifacts(CAFE, SMALL, Environment(name="open", hosts=("cafe.example",))))
    files.write_all(tmp_path / "far", artifacts(shop(), FAR))
    assert not complaints(program, tmp_path)
    assert not unformatted(tmp_path)


def test_a_mistake_is_seen(program: Path, tmp_path: Path) -> None:
    files.write_all(tmp_path, artifacts(CAFE, SMALL))
    for file, right, wrong in (
        ("service-till.tf", "max_instance_count", "most_instances"),
        ("run/till.yaml", "containerConcurrency", "concurrency"),
        ("api.yaml", "jwt_audience", "jwt_audiences"),
    ):
        place = tmp_path / "dev" / file
        assert right in place.read_text("utf-8"), file
        place.write_text(place.read_text("utf-8").replace(right, wrong), "utf-8")
    found = complaints(program, tmp_path)
    for wrong in ("most_instances", "concurrency", "jwt_audiences"):
        assert wrong in found, found


@given(st.lists(systems(), min_size=4, max_size=4))
@settings(max_examples=1, phases=(Phase.generate,), deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_declared_is_valid(
    program: Path, tmp_path_factory: pytest.TempPathFactory, drawn: list[System]
) -> None:
    folder = tmp_path_factory.mktemp("drawn")
    for number, system in enumerate(drawn):
        files.write_all(folder / str(number), artifacts(system, (PRODUCTION, SMALL, CLUSTER, FAR)[number]))
    assert not complaints(program, folder)
    assert not unformatted(folder)


@given(systems(), st.sampled_from((PRODUCTION, SMALL, CLUSTER, FAR)))
@settings(max_examples=20, deadline=None)
def test_whatever_is_declared_can_be_written_and_is_the_same_again(system: System, environment: Environment) -> None:
    first, second = (scope_of(system, environment) for _ in range(2))
    assert artifacts(system, environment) == artifacts(system, environment)
    assert findings([first]) == findings([second])
