"""A second region on Google Cloud: what it copies, what turns, and what neither region does beside the other."""

import re
from functools import cache

import msgspec
import pytest

from shoal.deploy.cloud.settings import Standby
from shoal.deploy.gcp.compile import findings
from shoal.deploy.gcp.parts import resources
from shoal.deploy.gcp.resources import (
    Account,
    Bucket,
    Cache,
    Dataset,
    Documents,
    Door,
    Key,
    Postgres,
    Resource,
    Right,
    Secret,
    Topic,
    Turn,
    Workload,
)
from shoal.deploy.gcp.scope import Scope
from shoal.deploy.gcp.settings import Environment, read
from shoal.errors import DeclarationError
from tests.deploy.gcp.samples import FAR, artifacts, of_kind, scope_of
from tests.deploy.halves import declared, halves
from tests.deploy.samples import CAFE, shop

ONE = msgspec.structs.replace(FAR, standby=None)


def second() -> Scope:
    found = scope_of(shop(), FAR).standing_by()
    assert found is not None
    return found


@cache
def both() -> tuple[tuple[Resource, ...], tuple[Resource, ...]]:
    return resources(scope_of(shop(), FAR)), resources(second())


@cache
def texts() -> tuple[str, str]:
    return halves(artifacts(shop(), FAR))


def test_each_database_has_a_copy_that_becomes_one_of_its_own() -> None:
    (here, there), (_, text) = both(), texts()
    assert set(of_kind(here, Postgres)) == set(of_kind(there, Postgres)) != set()
    assert {one.follows for one in of_kind(there, Postgres).values()} == set(of_kind(here, Postgres))
    for (kind, label), body in declared(text).items():
        if kind == "google_sql_database_instance":
            assert f'var.take_over ? null : "{label}"' in body, "as Google answers it; another would be made anew"
            assert 'var.take_over && var.spread ? "REGIONAL" : "ZONAL"' in body
            assert 'var.take_over ? "CLOUD_SQL_INSTANCE" : "READ_REPLICA_INSTANCE"' in body
            assert 'dynamic "backup_configuration"' in body, "a copy has no backups of its own"
    assert not {kind for kind, _ in declared(text)} & {"google_sql_database", "google_sql_user", "random_password"}


def test_a_database_that_is_followed_keeps_a_log_whether_or_not_it_is_protected() -> None:
    loose = msgspec.structs.replace(FAR, protected=False)
    first = {one.path: one.text for one in artifacts(CAFE, loose)}["far/service-till.tf"]
    assert re.search(r"point_in_time_recovery_enabled = true\n +transaction_log_retention_days = \d", first)


def test_a_disk_that_has_grown_by_itself_makes_no_database_anew() -> None:
    first, second = (
        [body for (kind, _), body in declared(text).items() if kind == "google_sql_database_instance"]
        for text in texts()
    )
    assert len(first) == len(second) == len(of_kind(both()[0], Postgres))
    for body in first:
        assert re.search(r"disk_autoresize +=[ ]true", body)
        assert "ignore_changes = [settings[0].disk_size]" in body
    for body in second:
        assert re.search(r"disk_autoresize +=[ ]true", body)
        assert "disk_size" not in body, "a copy has as much as it follows has by then"


def test_a_copy_that_follows_nobody_any_more_is_heard_of_until_it_takes_over() -> None:
    body = declared(texts()[1])["google_monitoring_alert_policy", "behind"]
    active, inactive = (f'"EVALUATION_MISSING_DATA_{word}ACTIVE"' for word in ("", "IN"))
    assert f"evaluation_missing_data = var.take_over ? {inactive} : {active}" in body


def test_what_is_in_both_regions_is_made_once() -> None:
    here, there = both()
    for kind in (Documents, Bucket, Topic):
        assert of_kind(here, kind), kind
        assert not of_kind(there, kind), kind
    assert {one.location for one in of_kind(here, Documents).values()} == {"nam5"}
    assert {one.regions for one in of_kind(here, Bucket).values()} == {("us-central1", "us-east1")}
    assert {one.regions for one in of_kind(here, Topic).values()} == {("us-central1", "us-east1")}
    by_hand = {name for name, one in of_kind(here, Secret).items() if one.text is None}
    assert all(of_kind(here, Secret)[name].regions == ("us-central1", "us-east1") for name in by_hand)
    assert not by_hand & set(of_kind(there, Secret))


def test_keys_of_personal_data_are_in_both_regions_and_those_of_disks_in_their_own() -> None:
    (here, there), (text, other) = both(), texts()
    assert all(one.wide == (name != "data") for name, one in of_kind(here, Key).items())
    assert set(of_kind(there, Key)) == {"data"}
    rings = {label: body for (kind, label), body in declared(text).items() if kind == "google_kms_key_ring"}
    assert 'location = "us-central1"' in rings["main"]
    assert 'location = "us"' in rings["wide"]
    personal = [one for one in second().plan.services if second().declared(one).personal]
    for service in personal:
        found = of_kind(there, Workload)[service.name].environment["SHOAL_KEY_RING"]
        assert found == of_kind(here, Workload)[service.name].environment["SHOAL_KEY_RING"]
        assert "/locations/us/" in str(found)
    assert personal
    assert 'location = "us-east1"' in declared(other)["google_kms_key_ring", "main"]


def test_the_balancer_leads_to_the_first_region_until_the_second_takes_over() -> None:
    (here, there), (text, other) = both(), texts()
    assert not of_kind(here, Door)
    assert of_kind(there, Door)["main"].region == "us-central1"
    made = {label for kind, label in declared(text) if kind == "google_compute_region_network_endpoint_group"}
    led = {label: body for (kind, label), body in declared(other).items() if kind == "google_compute_backend_service"}
    assert set(led) == made == set(second().exposed)
    for label, body in led.items():
        first = f'"projects/example-shop/regions/us-central1/networkEndpointGroups/{label}"'
        own = f"one(google_compute_region_network_endpoint_group.{label}[*].id)"
        assert f"group = var.take_over ? {own} : {first}" in body
    assert "prevent_destroy = true" in declared(other)["google_compute_global_address", "door"]


def test_nothing_runs_in_the_second_region_before_it_takes_over() -> None:
    _, other = texts()
    runs = [body for (kind, _), body in declared(other).items() if kind == "google_cloud_run_v2_service"]
    assert len(runs) == len(shop().services)
    assert all(re.search(r"^  count +=[ ]var.take_over \? 1 : 0$", body, re.MULTILINE) for body in runs)


def test_what_runs_in_either_region_can_be_ended_by_one_variable() -> None:
    for text in texts():
        runs = [body for (kind, _), body in declared(text).items() if kind == "google_cloud_run_v2_service"]
        assert len(runs) == len(shop().services)
        for body in runs:
            mode = r'scaling_mode += var.fenced \? "MANUAL" : "AUTOMATIC"'
            assert re.search(rf"{mode}\n +manual_instance_count = 0", body)
    alone = "".join(artifact.text for artifact in artifacts(shop(), ONE))
    assert "fenced" not in alone


def test_only_one_region_hears_and_publishes() -> None:
    here, there = both()

    def heard(rights: tuple[Right, ...]) -> set[tuple[str, str]]:
        return {(right.role, str(right.on)) for right in rights if right.role.startswith("roles/pubsub")}

    alone = of_kind(resources(scope_of(shop(), ONE)), Account)
    for service in second().plan.services:
        assert not heard(of_kind(here, Account)[service.name].rights)
        turn = of_kind(there, Turn).get(service.name)
        assert (heard(turn.rights) if turn is not None else set()) == heard(alone[service.name].rights)
        assert of_kind(there, Account)[service.name].rights == alone[service.name].rights, "no more, no less"
    _, other = texts()
    turned = {label: body for (_, label), body in declared(other).items() if label.startswith("first_")}
    assert turned
    for body in turned.values():
        assert re.search(r"count +=[ ]var.take_over \? 0 : 1", body)
        assert "-standby@" not in body


def test_the_two_root_modules_make_nothing_of_one_name() -> None:
    """Of what a project has once, by the argument that names it; what a region has may be called alike."""
    once = {
        "google_compute_firewall": "name", "google_sql_database_instance": "name", "google_storage_bucket": "name",
        "google_secret_manager_secret": "secret_id", "google_service_account": "account_id",
        "google_bigquery_dataset": "dataset_id", "google_firestore_database": "name", "google_pubsub_topic": "name",
        "google_compute_network": "name", "google_compute_global_address": "name", "google_dns_managed_zone": "name",
    }  # fmt: skip

    def named(text: str) -> set[tuple[str, str]]:
        found = set()
        for (kind, _), body in declared(text).items():
            if kind in once and (match := re.search(rf'^  {once[kind]} +=[ ]"(.*)"$', body, re.MULTILINE)):
                found.add((kind, match[1]))
        return found

    first, other = (named(text) for text in texts())
    assert not first & other
    accounts = [name for kind, name in first | other if kind == "google_service_account"]
    assert all(6 <= len(name) <= 30 for name in accounts)
    assert len(accounts) > len(shop().services)


def test_the_second_region_is_as_private_as_the_first() -> None:
    _, other = texts()
    assert set(re.findall(r"ipv4_enabled += (\w+)", other)) == {"false"}
    assert set(re.findall(r'ssl_mode += "(\w+)"', other)) == {"ENCRYPTED_ONLY"}
    assert "allUsers" not in other
    assert "0.0.0.0/0" not in other
    for kind in (Postgres, Cache, Dataset):
        assert all(one.protected for one in of_kind(both()[1], kind).values())  # type: ignore[attr-defined]


def test_what_is_not_copied_is_said() -> None:
    found = {
        one.code[-2:]: one
        for one in findings(
            [scope_of(shop(), msgspec.structs.replace(FAR, standby=Standby(region="us-east1", copies=1)))]
        )
    }
    assert {"33", "34", "35", "37", "38"} <= set(found)
    assert not {"30", "31", "32"} & set(found)
    assert "sessions" in found["33"].message


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        (Environment(name="p", compute="kubernetes", standby=Standby(region="us-east1")), "30"),
        (Environment(name="p", region="asia-east1", hosts=("a.example",), standby=Standby(region="asia-south1")), "31"),
        (Environment(name="p", standby=Standby(region="us-east1")), "32"),
    ],
)
def test_what_cannot_have_a_second_region_is_refused(environment: Environment, code: str) -> None:
    system = shop() if code == "31" else CAFE
    assert (f"DEPLOY-GCP-{code}", "error") in {
        (one.code, one.severity) for one in findings([scope_of(system, environment)])
    }


def test_a_setting_of_the_second_region_that_nobody_reads_is_refused() -> None:
    odd = msgspec.structs.replace(FAR, standby=Standby(region="us-east1", settings={"NOBODY__READS": "it"}))
    found = [one.message for one in findings([scope_of(shop(), odd)]) if one.code == "DEPLOY-GCP-14"]
    assert found == ["far sets NOBODY__READS, which no service reads, or which is a secret"]


@pytest.mark.parametrize("other", ["europe-west1", "australia-southeast1", "nowhere"])
def test_regions_of_two_parts_of_the_world_are_refused(other: str) -> None:
    with pytest.raises(DeclarationError, match=r"standby\.region"):
        read(f'name = "p"\n[standby]\nregion = "{other}"\n', where="x")
