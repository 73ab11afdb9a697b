"""A second region on Azure: what it copies, what it starts, and what nobody can have there."""

import re
from functools import cache

import msgspec
import pytest

from shoal.deploy.azure.compile import findings
from shoal.deploy.azure.pairs import PAIRS
from shoal.deploy.azure.parts import resources
from shoal.deploy.azure.resources import Account, Bus, Cache, Key, Postgres, Registry, Right, Wall, Workload
from shoal.deploy.azure.scope import Scope
from shoal.deploy.azure.settings import Engines, Environment
from shoal.deploy.cloud.resource import Resource
from shoal.deploy.cloud.settings import Standby
from tests.deploy.azure.samples import FAR, artifacts, of_kind, scope_of
from tests.deploy.halves import declared, halves
from tests.deploy.samples import shop


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
    (here, there), (text, other) = both(), texts()
    assert set(of_kind(here, Postgres)) == set(of_kind(there, Postgres)) != set()
    first = declared(text)
    for (kind, label), body in declared(other).items():
        if kind == "azurerm_postgresql_flexible_server":
            name = re.search(r'  name += "(.*)"', first[kind, label])
            assert name is not None
            assert f'/resourceGroups/shop-far/providers/Microsoft.DBforPostgreSQL/flexibleServers/{name[1]}"' in body
            assert "replication_role" not in body, "a person promotes it, who knows whether to wait for the first"
            assert re.search(rf"password_wo += var.take_over \? random_password.{label}-postgres.result : null", body)
            assert re.search(r'"high_availability" {\n +for_each = var.take_over && var.spread \? \[1\] : \[\]', body)
            assert "administrator_login" not in body
    assert "azurerm_postgresql_flexible_server_database" not in other


def test_what_changes_by_itself_makes_nothing_anew() -> None:
    """A disk grows, and an account is LRS once it has failed over: Terraform would begin either with nothing in it."""
    for text in texts():
        for (kind, label), body in declared(text).items():
            if kind == "azurerm_postgresql_flexible_server":
                assert re.search(r"ignore_changes = \[.*, storage_mb\]", body), label
            if kind == "azurerm_storage_account":
                assert "ignore_changes = [account_replication_type]" in body, label
                assert f'check "{label}-copied"' in text, "it is said instead"
    alone = "".join(one.text for one in artifacts(shop(), msgspec.structs.replace(FAR, standby=None)))
    assert "account_replication_type]" not in alone, "where nothing fails over, its kind is what the settings say"


def test_what_a_person_does_before_the_variable_waits_for_nobody() -> None:
    page = next(one.text for one in artifacts(shop(), FAR) if one.path == "far/standby/README.md")
    steps = [page.index(text) for text in ("--promote-option forced", "lastSyncTime", "--no-wait", "take_over=true\n")]
    assert steps == sorted(steps)
    accounts = re.findall(r"storage account failover --name (\w+) --yes --no-wait", page)
    assert len(accounts) == len(of_kind(both()[0], Account))
    for name in accounts:
        assert f"az storage account update --name {name} --sku Standard_GRS" in page, "LRS becomes no GZRS at once"
    promoted = re.search(r"for name in (.*); do\n +az postgres flexible-server replica promote", page)
    assert promoted is not None
    servers = re.findall(r'flexible_server" "[\w-]+" \{\n  name +=[ ]"(.*)"', texts()[1])
    assert sorted(promoted[1].split()) == sorted(servers)


def test_databases_of_both_regions_may_copy_each_other_and_nobody_else_gets_in() -> None:
    here, there = both()
    for found, origin in ((here, "10.41.16.0/24"), (there, "10.40.16.0/24")):
        rules = of_kind(found, Wall)["data"].rules
        copying = next(rule for rule in rules if rule.name == "copies")
        assert (copying.origin, copying.ports) == (origin, ("5432",))
        assert not rules[-1].allow
    alone = of_kind(resources(scope_of(shop(), msgspec.structs.replace(FAR, standby=None))), Wall)["data"].rules
    assert "copies" not in {rule.name for rule in alone}


def test_objects_and_images_are_those_of_the_first_region_and_events_are_not() -> None:
    here, there = both()
    assert {one.copies for one in of_kind(here, Account).values()} == {"GZRS"}
    assert of_kind(here, Registry)["main"].copied == "centralus"
    assert not of_kind(there, Account)
    assert not of_kind(there, Registry)
    for kind in (Bus, Cache):
        assert set(of_kind(there, kind)) == set(of_kind(here, kind)) != set()
    text, other = texts()
    assert 'georeplications {\n    location                = "centralus"' in text
    registry = re.search(r'  name += "(.*)"', declared(text)["azurerm_container_registry", "main"])
    assert registry is not None
    assert f"{registry[1]}.azurecr.io/orders:" in other


def test_a_service_may_do_the_same_in_either_region() -> None:
    here, there = both()

    def rights(found: tuple[Resource, ...]) -> set[tuple[str, str, str]]:
        every = of_kind(found, Right).values()
        return {(one.identity, one.role, str(one.scope)) for one in every if one.identity}

    assert rights(here) == rights(there) != set()


def test_keys_of_personal_data_are_brought_and_not_made() -> None:
    here, there = both()
    assert of_kind(here, Key)
    assert not of_kind(there, Key)
    _, other = texts()
    for name in of_kind(here, Key):
        assert f'"${{azurerm_key_vault.main.id}}/keys/{name}"' in other
    page = next(one.text for one in artifacts(shop(), FAR) if one.path == "far/standby/README.md")
    for name in of_kind(here, Key):
        assert f"--name {name} --file" in page


def test_nothing_runs_in_the_second_region_before_it_takes_over() -> None:
    _, other = texts()
    apps = {label: body for (kind, label), body in declared(other).items() if kind == "azurerm_container_app"}
    assert set(apps) == {service.name for service in shop().services}
    waiting = [body for body in declared(other).values() if "azurerm_container_app." in body]
    assert len(waiting) > len(apps), "alarms look at them, and the gateway leads to them"
    for body in (*apps.values(), *waiting):
        assert re.search(r"^  count +=[ ]var.take_over && !var.fenced \? 1 : 0$", body, re.MULTILINE), body
    assert all(one.waits for one in of_kind(both()[1], Workload).values())


def test_what_runs_in_the_first_region_can_be_ended_by_one_variable() -> None:
    text, _ = texts()
    apps = {label: body for (kind, label), body in declared(text).items() if kind == "azurerm_container_app"}
    assert set(apps) == {service.name for service in shop().services}
    assert all(re.search(r"^  count +=[ ]!var.fenced \? 1 : 0$", body, re.MULTILINE) for body in apps.values())
    alone = artifacts(shop(), msgspec.structs.replace(FAR, standby=None))
    assert "fenced" not in "".join(artifact.text for artifact in alone)


def test_the_second_region_is_as_private_as_the_first() -> None:
    _, other = texts()
    open_ = set(re.findall(r"public_network_access_enabled += (\w+)", other))
    assert open_ == {"false", "true"}, "the vault alone, to operators"
    assert re.findall(r'public_network_access += "(\w+)"', other) == ["Disabled"] * len(of_kind(both()[1], Cache))


def test_what_is_not_copied_and_what_is_done_by_hand_is_said() -> None:
    warm = msgspec.structs.replace(FAR, standby=Standby(region="centralus", copies=1))
    found = {one.code[-2:] for one in findings([scope_of(shop(), warm)])}
    assert {"33", "35", "36", "37", "38", "39"} <= found
    assert not {"30", "31", "32", "34"} & found


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"compute": "kubernetes"}, "30"),
        ({"engines": Engines(registry="Standard")}, "31"),
        ({"engines": Engines(registry="Premium", postgres="B_Standard_B1ms")}, "32"),
        ({"standby": Standby(region="westeurope")}, "34"),
        ({"region": "italynorth"}, "34"),
    ],
)
def test_what_cannot_have_a_second_region_is_refused(change: dict[str, object], code: str) -> None:
    environment: Environment = msgspec.structs.replace(FAR, **change)
    found = {(one.code, one.severity) for one in findings([scope_of(shop(), environment)])}
    assert (f"DEPLOY-AZURE-{code}", "error") in found


def test_pairs_are_mutual() -> None:
    assert all(PAIRS[other] == one != other for one, other in PAIRS.items())
