"""AWS's own provider accepts the values that are written: its code knows words and bounds that schemas do not."""

import json
from pathlib import Path

import pytest

from shoal import files
from shoal.deploy.aws.settings import Engines, Environment, Mail, Standby
from shoal.model.system import System
from tests.deploy.aws.samples import PRODUCTION, SMALL, artifacts
from tests.deploy.aws.terraform import PLUGINS, Terraform, adapted, provider
from tests.deploy.samples import CAFE, shop

EKS = Environment(
    name="production", compute="eks", account="100000000000", repository="example/shop", existing_oidc=True
)  # fmt: skip
NAMED = Environment(name="named", hosts=("cafe.example",), zone="Z0123456789ABC", cognito=True)
TWO = Environment(
    name="two", hosts=("cafe.example",), zone="Z0123456789ABC", repository="example/shop",
    engines=Engines(mongo="db.r6g.large"), standby=Standby(region="eu-west-1", copies=1),
    mail=Mail(domain="shop.example", zone="Z0123456789ABC"),
)  # fmt: skip
KNOWN = ("Argument is deprecated", "Deprecated attribute")


def validated(
    folder: Path, system: System, environment: Environment, *, before: str = "", after: str = "", region: str = ""
) -> list[str]:
    found = provider()
    if found is None:
        pytest.skip(f"no terraform with AWS's provider is here ({PLUGINS} names its folder)")
    plugins, version = found
    files.write_all(folder, artifacts(system, environment))
    place = folder / environment.name / region
    adapted(place, version, whole=True)
    for file in place.glob("*.tf") if before else ():
        file.write_text(file.read_text("utf-8").replace(before, after), "utf-8")
    terraform = Terraform(place, plugins, "http://127.0.0.1:9", "100000000000")
    terraform.init()
    told = json.loads(terraform.run("validate", "-json", ends=(0, 1)))
    return [f"{one['summary']} {one.get('detail', '')}" for one in told["diagnostics"] if one["summary"] not in KNOWN]


@pytest.mark.parametrize(
    ("system", "environment", "region"),
    [
        (shop, PRODUCTION, ""), (shop, EKS, ""), (lambda: CAFE, SMALL, ""), (lambda: CAFE, NAMED, ""),
        (shop, TWO, ""), (shop, TWO, "standby"),
    ],
    ids=["shop", "shop on a cluster", "cafe", "cafe with a name", "shop in two regions", "the second of them"],
)  # fmt: skip
def test_the_provider_accepts_every_value(
    system: object, environment: Environment, region: str, tmp_path: Path
) -> None:
    assert callable(system)
    assert not validated(tmp_path, system(), environment, region=region)


def test_a_mistake_in_a_warehouse_is_seen_though_no_schema_has_it(tmp_path: Path) -> None:
    found = validated(tmp_path, shop(), PRODUCTION, before="base_capacity ", after="base_capacities ")
    assert "base_capacities" in "".join(found)


def test_a_value_that_only_the_provider_knows_is_seen(tmp_path: Path) -> None:
    found = validated(tmp_path, CAFE, SMALL, before="retention_in_days = 30", after="retention_in_days = 31")
    assert "retention_in_days" in "".join(found)
