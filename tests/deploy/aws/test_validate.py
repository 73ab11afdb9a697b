"""Terraform and CloudFormation's linter accept every file, by the schemas of AWS's provider."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shoal import files
from shoal.deploy.aws.compile import findings
from shoal.deploy.aws.settings import Engines, Environment, Mail, Nodes, Standby
from shoal.model.system import System
from tests.deploy.authority import BESIDE, with_ours
from tests.deploy.aws.samples import PRODUCTION, SMALL, artifacts, scope_of
from tests.deploy.samples import CAFE, shop
from tests.deploy.terraform.terraform import unformatted
from tests.model.strategies import systems

ACCOUNT = "100000000000"
EKS = Environment(name="pods", compute="eks", account=ACCOUNT, repository="example/shop", nodes=Nodes(spot=True))
EKSCTL = Environment(
    name="small", compute="eks", eksctl=True, account=ACCOUNT, mesh="none", zones=2, gateways=1, endpoints=False,
    protected=False, architecture="ARM64",
)  # fmt: skip
OUTSIDE = replace(
    PRODUCTION, name="outside", forward=("orders.confirmed.v1", "users.erased.v1"), mail=Mail(domain="shop.example")
)
NAMED = Environment(name="named", hosts=("cafe.example",), zone="Z0123456789ABC")
TWO = Environment(
    name="two", hosts=("cafe.example",), zone="Z0123456789ABC", repository="example/shop", collector="v1",
    engines=Engines(mongo="db.r6g.large"), standby=Standby(region="eu-west-1", copies=1),
    mail=Mail(domain="shop.example", zone="Z0123456789ABC"),
)  # fmt: skip
_MADE = re.compile(r'^(?:resource|data) "(\w+)" "([\w-]+)"', re.MULTILINE)
_NAMED = re.compile(r"\b((?:aws|random)_[a-z0-9_]+)\.([A-Za-z][\w-]*)")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (BESIDE / "validate.py").exists():
        pytest.skip(f"the validator of Terraform is not at {BESIDE}")
    for tool in ("terraform", "cfn-lint"):
        if shutil.which(tool) is None:
            pytest.skip(f"the program {tool} is not here")
    if importlib.util.find_spec("grpc") is None:
        pytest.skip("the package grpcio is not here, by which the schemas are served")
    return with_ours(tmp_path_factory.mktemp("validator"))


def complaints(program: Path, *folders: Path) -> str:
    """Validate folders; empty when every document is known and none fails."""
    ended = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, str(program), "--quiet", "--json", *map(str, folders)],
        capture_output=True, text=True, check=False, timeout=180,
    )  # fmt: skip
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    assert told, ended.stderr[-2000:]
    return "\n".join(str(one) for one in told if one["status"] != "OK")


def test_the_shop_and_a_small_system_are_valid(program: Path, tmp_path: Path) -> None:
    files.write_all(tmp_path / "shop", artifacts(shop(), PRODUCTION, OUTSIDE, TWO))
    files.write_all(
        tmp_path / "cafe", artifacts(CAFE, SMALL, Environment(name="closed", gateways=0), NAMED, EKS, EKSCTL)
    )
    assert not complaints(program, tmp_path)
    assert not unformatted(tmp_path)


def test_a_mistake_is_seen(program: Path, tmp_path: Path) -> None:
    files.write_all(tmp_path, artifacts(CAFE))
    place = tmp_path / "production/service-till.tf"
    place.write_text(place.read_text("utf-8").replace("desired_count", "desired_number"), "utf-8")
    wall = tmp_path / "production/firewall.yaml"
    wall.write_text(wall.read_text("utf-8").replace("Scope: REGIONAL", "Scope: LOCAL"), "utf-8")
    api = tmp_path / "production/api.yaml"
    api.write_text(api.read_text("utf-8").replace("PayloadFormatVersion", "PayloadVersion"), "utf-8")
    found = complaints(program, tmp_path)
    assert "desired_number" in found
    assert "PayloadVersion" in found
    assert "LOCAL" in found


@given(st.lists(systems(), min_size=2, max_size=2))
@settings(max_examples=1, phases=(Phase.generate,), deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_declared_is_valid(
    program: Path, tmp_path_factory: pytest.TempPathFactory, drawn: list[System]
) -> None:
    folder = tmp_path_factory.mktemp("drawn")
    for number, system in enumerate(drawn):
        files.write_all(folder / str(number), artifacts(system, PRODUCTION if number % 2 else SMALL))
    assert not complaints(program, folder)
    assert not unformatted(folder)


@given(systems(), st.sampled_from((PRODUCTION, SMALL, NAMED, TWO, EKS, EKSCTL)))
@settings(max_examples=100, deadline=None)
def test_whatever_is_declared_is_whole_and_is_the_same_again(system: System, environment: Environment) -> None:
    """Every reference leads to one resource, and to one only: what Terraform would say first."""
    first, second = (scope_of(system, environment) for _ in range(2))
    found = artifacts(system, environment)
    assert found == artifacts(system, environment)
    assert findings([first]) == findings([second])
    folders: dict[str, list[str]] = {}
    for one in found:
        if one.path.endswith(".tf"):
            folders.setdefault(one.path.rpartition("/")[0], []).append(one.text)
    for texts in folders.values():
        _whole("\n".join(texts))


def _whole(text: str) -> None:
    made = _MADE.findall(text)
    assert len(made) == len(set(made)), "two resources have one name"
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    assert set(_NAMED.findall(code)) <= set(made)
