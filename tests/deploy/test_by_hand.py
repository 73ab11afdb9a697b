"""What a person does before and after Terraform, as the page of each folder says it: in order, and whole."""

import re
from collections.abc import Callable
from functools import cache

import pytest

from shoal.deploy.aws import settings as on_aws
from shoal.deploy.azure import settings as on_azure
from shoal.deploy.cloud.settings import Standby
from shoal.deploy.cloud.steps import numbered, table
from shoal.deploy.gcp import settings as on_google
from shoal.model.artifact import Artifact
from tests.deploy.aws import samples as aws
from tests.deploy.azure import samples as azure
from tests.deploy.gcp import samples as google
from tests.deploy.samples import CAFE, shop

CLOUDS = ("aws", "azure", "gcp")


@cache
def _written(cloud: str, *, whole: bool = False) -> dict[str, str]:
    system = shop() if whole else CAFE
    make: dict[str, Callable[[], tuple[Artifact, ...]]] = {
        "aws": lambda: aws.artifacts(system, *on_aws.ENVIRONMENTS),
        "azure": lambda: azure.artifacts(system, *on_azure.ENVIRONMENTS),
        "gcp": lambda: google.artifacts(system, *on_google.ENVIRONMENTS),
    }
    return {one.path: one.text for one in make[cloud]()}


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("whole", [False, True], ids=["cafe", "shop"])
def test_steps_are_counted_without_a_gap_and_no_table_is_empty(cloud: str, *, whole: bool) -> None:
    for name in ("dev", "production"):
        text = _written(cloud, whole=whole)[f"{name}/README.md"]
        for section in text.split("\n## "):
            steps = [int(one) for one in re.findall(r"^(\d+)\. ", section, re.MULTILINE)]
            assert steps == [*range(1, len(steps) + 1)]
        assert not re.search(r"^ *\|[-|]+\|\n(?! *\|)", text, re.MULTILINE), "a table without rows"
        assert "\n\n\n" not in text


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_place_of_the_state_is_made_under_the_name_that_terraform_looks_for(cloud: str) -> None:
    files = _written(cloud)
    found = re.search(r'(?:bucket|storage_account_name) += "([^"]+)"', files["production/main.tf"])
    assert found is not None
    page = files["production/README.md"]
    first = page.split("\n2. ")[0]
    assert re.search(rf"\b{found[1]}\b", first), "it is the first step"
    assert "terraform init" in page


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_service_has_a_dockerfile_that_the_page_leads_to(cloud: str) -> None:
    files = _written(cloud)
    for service in ("till", "menu"):
        assert f"images/{service}/Dockerfile" in files
    assert '"../images/$name/Dockerfile"' in files["production/README.md"]
    assert "for name in till menu; do" in files["production/README.md"]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_who_fills_in_keys_is_told_how_they_are_made(cloud: str) -> None:
    page = _written(cloud, whole=True)["production/README.md"]
    assert "shoal keys issuer" in page
    assert "shoal keys create" in page
    assert "shoal keys create" not in _written(cloud)["production/README.md"], "the café has no consumers"


def test_what_only_an_account_that_is_new_lacks_is_said_on_amazon() -> None:
    page = _written("aws", whole=True)["production/README.md"]
    assert page.index("create-service-linked-role") < page.index("`terraform apply`")
    assert page.index("TF_VAR_mail_domain") < page.index("`terraform apply`"), "Terraform asks for it"
    assert "https://truststore.pki.rds.amazonaws.com/eu-central-1/eu-central-1-bundle.pem" in page
    small = _written("aws")["production/README.md"]
    assert "service-linked" not in small
    assert "mail_domain" not in small


def test_a_bucket_where_buckets_are_by_themselves_is_made_without_a_place() -> None:
    virginia = on_aws.Environment(name="production", region="us-east-1")
    page = {one.path: one.text for one in aws.artifacts(CAFE, virginia)}["production/README.md"]
    assert "LocationConstraint" not in page
    assert "LocationConstraint=eu-central-1" in _written("aws")["production/README.md"]


def test_a_second_region_has_the_place_of_its_own_state_made() -> None:
    far = on_azure.Environment(name="far", standby=Standby(region="westus"))
    files = {one.path: one.text for one in azure.artifacts(CAFE, far)}
    found = re.search(r'storage_account_name = "([^"]+)"', files["far/standby/main.tf"])
    assert found is not None
    assert f"az storage account create --name {found[1]} " in files["far/standby/README.md"]


def test_a_closed_vault_is_said_before_anything_else() -> None:
    files = _written("azure")
    assert "**The vault is closed" in files["production/README.md"].split("1. ")[0]
    assert "The vault is closed" not in files["dev/README.md"]


def test_steps_that_are_none_are_not_counted() -> None:
    assert [*numbered([("a", "b"), (), ("c", "")])] == ["1. a", "   b", "2. c"]
    assert table(("A",), ()) == ()
    assert table(("A", "B"), [("1", "2")]) == ("| A | B |", "|---|---|", "| 1 | 2 |", "")


def test_who_takes_bicep_is_told_its_steps_with_every_password_that_it_asks_for() -> None:
    files = _written("azure", whole=True)
    section = files["production/README.md"].partition("## With Bicep instead")[2]
    asked = {one for text in files.values() for one in re.findall(r"passwords\['([^']+)'\]", text)}
    assert asked
    told = re.search(r"for name in (.*); do\n +jq", section)
    assert told is not None
    assert {*told[1].split()} == asked
    assert section.index("ground.bicep") < section.index("main.bicep")
    job = re.search(r"resource job_\w+ '[^']+' = \{\n  name: '([^']+)'", files["production/bicep/operator.bicep"])
    assert job is not None
    assert f"--name {job[1]}\n" in section
    without = on_azure.Environment(name="production", bicep=False)
    assert "Bicep" not in {one.path: one.text for one in azure.artifacts(CAFE, without)}["production/README.md"]
