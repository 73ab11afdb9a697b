"""What is said of settings that somebody wrote wrongly."""

import pytest

from shoal.deploy.aws import settings as aws
from shoal.deploy.kubernetes import settings as kubernetes
from shoal.errors import DeclarationError


def refused(module: object, text: str) -> DeclarationError:
    with pytest.raises(DeclarationError) as error:
        module.read(text, where="t.toml")  # type: ignore[attr-defined]
    return error.value


def test_what_is_nearly_a_setting_is_named() -> None:
    error = refused(aws, 'name = "p"\nregoin = "eu-west-1"')
    assert error.message == "there is no setting `regoin`"
    assert error.hint == "did you mean region? docs/aws.md tells of them"


def test_what_is_like_no_setting_gets_them_all() -> None:
    assert refused(kubernetes, 'name = "p"\nmoon = 1').hint.startswith("its settings are: name, namespace, ")


def test_what_was_called_otherwise_once_is_named_by_its_new_word() -> None:
    error = refused(aws, 'name = "p"\ncontainers = "eks"')
    assert (error.message, error.hint) == (
        "`containers` is called `compute` now",
        "write compute = ...; see docs/aws.md",
    )


def test_a_value_or_a_setting_within_leads_to_the_page() -> None:
    assert refused(kubernetes, 'name = "P X"').hint == "see docs/kubernetes.md"
    within = refused(aws, 'name = "p"\n[engines]\nregion = "x"')
    assert (within.message, within.hint) == ("there is no setting `region` - at `$.engines`", "see docs/aws.md")


@pytest.mark.parametrize("region", ["eu-centrl-1", "mars", "eu-central"])
def test_a_region_that_amazon_cannot_have_is_refused(region: str) -> None:
    assert "is no region" in refused(aws, f'name = "p"\nregion = "{region}"').message


@pytest.mark.parametrize("region", ["eu-central-1", "ap-southeast-7", "us-gov-west-1", "mx-central-1"])
def test_a_region_that_amazon_has_is_taken(region: str) -> None:
    assert aws.read(f'name = "p"\nregion = "{region}"', where="t.toml").region == region
