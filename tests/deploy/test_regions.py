"""Words that are no region of a cloud are refused, and what was probably meant is named."""

import re

import pytest

from shoal.deploy.azure import regions as azure
from shoal.deploy.azure import settings as of_azure
from shoal.deploy.cloud.regions import checked
from shoal.deploy.gcp import regions as gcp
from shoal.deploy.gcp import settings as of_gcp
from shoal.errors import DeclarationError


@pytest.mark.parametrize("regions", [azure, gcp])
def test_every_known_region_is_let_through_and_has_the_usual_form(regions: object) -> None:
    for one in regions.KNOWN:  # type: ignore[attr-defined]
        assert regions.USUAL.fullmatch(one), one  # type: ignore[attr-defined]
        checked("region", one, (), regions.USUAL, example=one)  # type: ignore[attr-defined]


def test_a_region_that_is_newer_than_the_list_is_let_through() -> None:
    assert of_gcp.Environment(name="p", region="europe-north7").region == "europe-north7"
    assert of_azure.Environment(name="p", region="finlandnorth").region == "finlandnorth"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("us-cental1", "did you mean us-central1?"),
        ("europe-wst1", "did you mean europe-west1?"),
        ("narnia", "write one such as us-central1"),
        ("", "write one such as us-central1"),
    ],
)
def test_what_is_no_region_of_google_is_refused(said: str, meant: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(f"is no region; {meant}")):
        of_gcp.read(f'name = "p"\nregion = "{said}"\n', where="x")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("eastsu2", "did you mean eastus2?"),
        ("West Europe", "did you mean westeurope?"),
        ("narnia", "write one such as eastus2"),
        ("eastus22", "did you mean eastus2?"),
    ],
)
def test_what_is_no_region_of_azure_is_refused(said: str, meant: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(f"is no region; {meant}")):
        of_azure.read(f'name = "p"\nregion = "{said}"\n', where="x")


@pytest.mark.parametrize("read", [of_azure.read, of_gcp.read])
def test_a_second_region_is_looked_at_likewise(read: object) -> None:
    with pytest.raises(DeclarationError, match=r"standby\.region = 'nowhere' is no region"):
        read('name = "p"\n[standby]\nregion = "nowhere"\n', where="x")  # type: ignore[operator]
