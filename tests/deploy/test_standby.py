"""A second region, as every cloud is told of it: what is asked for, and how the environment is called there."""

import pytest

from shoal.deploy.cloud.settings import Environment, Standby, read
from shoal.errors import DeclarationError

SAID = 'name = "production"\nregion = "here"\n[standby]\nregion = "there"\n'


def test_a_second_region_is_asked_for() -> None:
    found = read(f"{SAID}copies = 1\n", Environment, where="x", page="docs/aws.md")
    assert found.standby == Standby(region="there", copies=1)


def test_an_environment_is_called_apart_in_its_second_region_and_what_is_one_for_all_stays_in_the_first() -> None:
    wanted = Standby(region="there", state="far-state", settings={"B": "3"})
    first = Environment(
        name="production", region="here", standby=wanted, state="near-state", repository="a/b", budget=100,
        settings={"A": "1", "B": "2"},
    )  # fmt: skip
    second = first.second()
    assert (second.name, second.region, second.cidr) == ("production-standby", "there", "10.41.0.0/16")
    assert (second.state, second.settings) == ("far-state", {"A": "1", "B": "3"})
    assert (second.repository, second.budget, second.standby) == ("", 0, None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('region = "there"', 'region = "here"'), "is the first region, too"),
        (('region = "there"', ""), "missing required field `region`"),
        (('region = "there"', 'region = ""'), "write region"),
        (("[standby]", '[standby]\ncidr = "10.40.0.0/16"'), "is the first region's, too"),
        (("[standby]", '[standby]\ncidr = "10.40.0.0/8"'), "no network of that size"),
        (("[standby]", "[standby]\ncopies = -1"), "copies = -1"),
        (("[standby]", "[standby]\nmoon = 1"), "there is no setting `moon`"),
        (('"production"', f'"{"p" * 35}"'), "no DNS label|is not a DNS label"),
    ],
)
def test_what_no_cloud_would_have_is_refused_and_named(change: tuple[str, str], said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        read(SAID.replace(*change), Environment, where="x", page="docs/aws.md")
