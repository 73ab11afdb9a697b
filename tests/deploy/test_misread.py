"""What is said of settings that somebody wrote wrongly."""

import pytest

from shoal.deploy.aws import settings as aws
from shoal.deploy.azure import settings as azure
from shoal.deploy.gcp import settings as gcp
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


def test_the_region_of_amazon_that_was_meant_is_named() -> None:
    assert "did you mean eu-north-1?" in refused(aws, 'name = "p"\nregion = "eu-nort-1"').message
    assert "did you mean eu-central-1?" in refused(aws, 'name = "p"\nregion = "eu-centrall-1"').message


@pytest.mark.parametrize(
    ("cloud", "engine", "wrong", "right"),
    [
        (aws, "postgres", "db.t4g.mcro", "db.r6gd.12xlarge"),
        (aws, "postgres", "large", "db.x2iedn.8xlarge.tpc2.mem3x"),
        (aws, "mongo", "t4g.medium", "db.r6g.large"),
        (aws, "valkey", "db.t4g.micro", "cache.r7g.xlarge"),
        (aws, "opensearch", "t3.small", "or1.medium.search"),
        (azure, "postgres", "GP_Standard_D2", "MO_Standard_E20ds_v5"),
        (azure, "postgres", "Standard_B1ms", "B_Standard_B2s"),
        (azure, "valkey", "Standard_C1", "MemoryOptimized_M50"),
        (azure, "node", "D4ds_v5", "Standard_E4-2ads_v5"),
        (gcp, "postgres", "db-custom-1", "db-perf-optimized-N-8"),
        (gcp, "postgres", "db.t4g.micro", "db-custom-2-7680"),
        (gcp, "valkey", "SMALL", "HIGHMEM_MEDIUM"),
    ],
)
def test_a_size_that_no_cloud_has_is_refused_before_anything_is_made(
    cloud: object, engine: str, wrong: str, right: str
) -> None:
    assert f"'{wrong}'" in refused(cloud, f'name = "p"\n[engines]\n{engine} = "{wrong}"').message
    read = cloud.read(f'name = "p"\n[engines]\n{engine} = "{right}"', where="t.toml")  # type: ignore[attr-defined]
    assert getattr(read.engines, engine) == right


def test_a_region_of_two_zones_is_not_asked_for_three() -> None:
    text = 'name = "p"\nregion = "us-west-1"\n'
    assert "us-west-1 has two; write zones = 2" in refused(aws, text).message
    assert aws.read(f"{text}zones = 2\ngateways = 2\n", where="t.toml").zones == 2


def test_a_task_that_fargate_has_not_is_named_by_its_service_and_a_pod_may_be_so() -> None:
    text = 'name = "p"\n{}[services.till]\ncpu = 300\nmemory = 1024\n'
    assert refused(aws, text.format("")).message.startswith("services.till: cpu = 300 with memory = 1024 is no size of")
    eks = 'compute = "eks"\naccount = "123456789012"\n'
    assert aws.read(text.format(eks), where="t.toml").services["till"].cpu == 300


@pytest.mark.parametrize("region", ["eu-central-1", "ap-southeast-7", "us-gov-west-1", "mx-central-1"])
def test_a_region_that_amazon_has_is_taken(region: str) -> None:
    assert aws.read(f'name = "p"\nregion = "{region}"', where="t.toml").region == region
