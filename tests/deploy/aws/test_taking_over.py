"""What a second region does when it takes over, beyond starting: whom it keeps out, what waits, and the way back."""

import re

import pytest

from shoal.deploy.aws.parts import resources
from shoal.deploy.aws.resources import Alarm, Fence, Postgres, Role
from tests.deploy.aws.samples import of_kind
from tests.deploy.aws.test_second_region import FIRST, SECOND, changed, scopes, texts
from tests.deploy.samples import CAFE


def readme(**settings: object) -> str:
    return texts(second=True, environment=changed(**settings))["production/standby/README.md"]


def test_services_of_the_first_region_may_do_nothing_while_the_second_one_works() -> None:
    """Tables and objects are copied both ways, so a first region that is back would write into the second's."""
    first, second = scopes()
    (fence,) = of_kind(resources(second), Fence).values()
    tasks = {name for name, role in of_kind(resources(first), Role).items() if role.trusts == "tasks"}
    assert set(fence.roles) == {f"shop-production-{name}" for name in tasks if not name.startswith("operator")}
    text = texts(second=True)["production/standby/roles.tf"]
    body = text[text.index('"fence-first"') :]
    assert re.search(
        r'for_each = toset\(var.take_over && !var.fenced \? \["shop-production-users", .*\] : \[\]\)', body
    )
    assert re.search(r'Effect += "Deny"\n +NotAction = \["logs:\*"\]\n +Resource  = \["\*"\]', body)
    assert not of_kind(resources(first), Fence)


def test_what_is_put_into_a_second_zone_keeps_nobody_waiting_before_it_serves() -> None:
    whole = "\n".join(texts(second=True).values())
    assert re.search(r'variable "spread" \{[^}]*default += false', whole, re.DOTALL)
    assert set(re.findall(r"multi_az +=[ ](.+)", whole)) == {"var.spread"}
    assert set(re.findall(r"multi_az_enabled +=[ ](.+)", whole)) == {"var.spread"}
    assert re.search(r"count +=[ ]var.spread \? 2 : 1\n +cluster_identifier", whole)
    small = texts(second=True, environment=changed(protected=False))
    assert "spread" not in "\n".join(small.values()), "where nothing is in two zones, nothing is spread"


def test_a_copy_that_follows_nobody_any_more_is_heard_of_until_it_takes_over() -> None:
    """Nothing is measured of a copy whose following has ended, which Amazon does after thirty days."""
    _, second = scopes()
    behind = {name: one for name, one in of_kind(resources(second), Alarm).items() if name.endswith("-behind")}
    assert {one.metric for one in behind.values()} == {"ReplicaLag", "GlobalClusterReplicationLag"}
    assert {one.above for one in behind.values()} == {900, 900_000}, "seconds, and milliseconds"
    assert all(one.silent for one in behind.values())
    own = texts(second=True)["production/standby/service-users.tf"]
    body = re.search(r'"users-behind" \{.*?\n\}', own, re.DOTALL)
    assert body is not None
    assert re.search(r'treat_missing_data +=[ ]var.take_over \? "notBreaching" : "breaching"', body[0])
    assert len(re.findall(r'treat_missing_data +=[ ]"notBreaching"', own)) > 0, "others are silent while nothing runs"


def test_the_way_back_names_each_database_in_both_regions() -> None:
    page, databases = readme(), of_kind(resources(scopes()[1]), Postgres)
    for name in databases:
        assert f"\n   shop-production-{name} shop-production-standby-{name}\n" in page
        assert f"\n   {name} shop-production-{name}\n" in page, "Terraform is told that it is another one"
        assert f"-replace=aws_db_instance.{name}" in page
    assert f"--region {FIRST} --source-region {SECOND}" in page
    order = ["fenced=true", "take_over=true", "spread=true", "create-db-instance-read-replica", "promote-read-replica"]
    places = [page.index(text) for text in (*order, "state rm", "-replace=")]
    assert places == sorted(places)


def test_a_small_system_is_told_of_nothing_that_it_has_not() -> None:
    page = texts(second=True, system=CAFE, environment=changed(protected=False))["production/standby/README.md"]
    assert "spread" not in page
    assert "no-deletion-protection" not in page
    assert "Clusters of documents" not in page


@pytest.mark.parametrize(("region", "said"), [("us-east-1", True), (FIRST, False)])
def test_who_loses_the_region_of_global_interfaces_is_told_what_does_not_answer(region: str, said: bool) -> None:
    assert ("-refresh=false" in readme(region=region)) == said
