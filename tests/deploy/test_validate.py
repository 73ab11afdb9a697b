"""Kubernetes' own schemas, those of Istio, Linkerd, Gateway API, KEDA and the others, accept every document."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shoal import files
from shoal.deploy.kubernetes.compile import compile_kubernetes, findings
from shoal.deploy.kubernetes.settings import Environment, Second, Secrets, Storage, Strike
from shoal.deploy.kubernetes.target import target
from shoal.model.plan import plan
from shoal.model.system import System
from tests.deploy.authority import complaints, validator
from tests.deploy.samples import CAFE, MESHES, artifacts, is_object, scope_of, shop, written
from tests.model.strategies import systems

SYSTEMS = 200
"""How many are drawn in one run."""
MANAGED = {"postgres": "managed", "nats": "managed", "valkey": "managed", "mongo": "managed", "opensearch": "managed"}
PRODUCTION = Environment(
    name="production",
    mesh="istio-ambient",
    engines=MANAGED,  # type: ignore[arg-type]
    reach={"postgres": ("10.1.0.0/16",)},
    secrets=Secrets(store="aws", region="eu-central-1"),
)
STORED = Environment(
    name="p",
    storage=Storage(backup="s3://backups/cafe", kind="encrypted"),
    secrets=Secrets(store="azure", url="https://cafe.vault.azure.net"),
    splits={"till": Second(version="2.0.0", weight=10), "menu": Second(version="2.0.0", name="green", mirror=50)},
    faults=(
        Strike(caller="till", callee="menu", delay=1.0, percent=10),
        Strike(caller="menu", callee="till", abort=503),
    ),
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return validator(tmp_path_factory.mktemp("schemas"))


@pytest.mark.parametrize("system", [CAFE, None], ids=["cafe", "shop"])
def test_every_environment_is_valid(system: System | None, program: Path, tmp_path: Path) -> None:
    files.write_all(tmp_path, artifacts(system or shop()))
    # Overlays build all of the base, of the engines and of what watches them.
    assert not complaints(program, *(tmp_path / name for name in ("overlays", "images", "cluster")))


def test_other_meshes_and_other_ways_to_run_engines_are_valid(program: Path, tmp_path: Path) -> None:
    files.write_all(tmp_path / "linkerd", artifacts(CAFE, Environment(name="dev", mesh="linkerd")))
    files.write_all(tmp_path / "managed", artifacts(CAFE, PRODUCTION))
    files.write_all(tmp_path / "stored", artifacts(CAFE, STORED))
    built = (tmp_path / name / "overlays" for name in ("linkerd", "managed"))
    assert not complaints(program, tmp_path / "stored", *built)


def test_a_mistake_is_seen(program: Path, tmp_path: Path) -> None:
    files.write_all(tmp_path, artifacts(CAFE, Environment(name="dev")))
    place = tmp_path / "base/till/deployment.yaml"
    place.write_text(place.read_text("utf-8").replace("readOnlyRootFilesystem", "readOnlyFilesystem"), "utf-8")
    cluster = tmp_path / "engines/postgres/cluster.yaml"
    cluster.write_text(cluster.read_text("utf-8").replace("imageName", "image_name"), "utf-8")
    found = complaints(program, place.parent, cluster.parent)
    assert "readOnlyFilesystem" in found
    assert "image_name" in found


@given(st.lists(st.tuples(systems(), st.sampled_from(MESHES)), min_size=3, max_size=3))
@settings(max_examples=1, phases=(Phase.generate,), deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_declared_is_valid_when_it_is_built(
    program: Path, tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[System, str]]
) -> None:
    folder = tmp_path_factory.mktemp("drawn")
    for number, (system, mesh) in enumerate(drawn):
        files.write_all(folder / str(number), artifacts(system, Environment(name="dev", mesh=mesh)))  # type: ignore[arg-type]
    assert not complaints(program, folder)


def test_two_hundred_systems_are_valid(program: Path, tmp_path: Path) -> None:
    drawn: list[tuple[System, str]] = []

    @given(systems(), st.sampled_from(MESHES))
    @settings(max_examples=SYSTEMS, phases=(Phase.generate,), deadline=None, suppress_health_check=list(HealthCheck))
    def draw(system: System, mesh: str) -> None:
        drawn.append((system, mesh))

    draw()
    assert len(drawn) >= SYSTEMS // 2  # those that are drawn twice count once
    seen: set[str] = set()
    for number, (system, mesh) in enumerate(drawn):
        texts = written(system, Environment(name="dev", mesh=mesh))  # type: ignore[arg-type]
        new = {text for path, text in texts.items() if is_object(path)} - seen
        seen |= new
        (tmp_path / f"{number}.yaml").write_text("---\n".join(sorted(new)) or "{}", "utf-8")
    assert len(seen) > SYSTEMS
    assert not complaints(program, *(file for file in tmp_path.iterdir() if file.read_text("utf-8") != "{}"))


@given(systems(), st.sampled_from(MESHES))
@settings(max_examples=20, deadline=None)
def test_whatever_is_declared_can_be_written_and_is_the_same_again(system: System, mesh: str) -> None:
    environment = Environment(name="dev", mesh=mesh)  # type: ignore[arg-type]
    first, second = (scope_of(system, environment) for _ in range(2))
    assert compile_kubernetes(first) == compile_kubernetes(second)
    assert findings(first) == findings(second)
    assert plan(system, target(system, environment)) == first.plan
