"""Who reaches whom: what is declared, and nothing from outside but the gateway."""

import re

import msgspec
import pytest

from shoal.deploy.azure.compile import findings
from shoal.deploy.azure.parts import resources
from shoal.deploy.azure.resources import (
    Account,
    Bus,
    Cache,
    Endpoint,
    Lock,
    Postgres,
    Registry,
    Rule,
    Secret,
    Vault,
    Wall,
    Workload,
    Zone,
)
from shoal.deploy.azure.settings import Engines, Environment
from shoal.deploy.cloud.values import Ref
from shoal.model.system import System
from tests.deploy.azure.samples import CLUSTER, PRODUCTION, SMALL, artifacts, of_kind, scope_of, shops
from tests.deploy.samples import CAFE, shop

PUBLIC = re.compile(
    r"publicly_accessible +=[ ]+true|internal_load_balancer_enabled +=[ ]+false|admin_enabled +=[ ]+true"
    r"|shared_access_key_enabled +=[ ]+true|local_auth_enabled +=[ ]+true|allow_nested_items_to_be_public +=[ ]+true"
)


def lets(wall: Wall, origin: str, port: str) -> bool:
    """Evaluate a wall as Azure does: the first rule that fits decides."""
    for rule in wall.rules:
        if _from(rule) in ("*", origin, "VirtualNetwork") and (rule.ports == ("*",) or port in rule.ports):
            return rule.allow
    return False


def _from(rule: Rule) -> str:
    return rule.origin.name if isinstance(rule.origin, Ref) else str(rule.origin)


def test_a_database_takes_connections_of_services_and_nobody_else() -> None:
    walls = of_kind(shops(), Wall)
    assert lets(walls["data"], "apps", "5432")
    assert not lets(walls["data"], "edge", "5432")
    assert not lets(walls["data"], "Internet", "5432")
    assert lets(walls["inside"], "apps", "443")
    assert not lets(walls["inside"], "edge", "443")
    assert lets(walls["apps"], "edge", "443")
    assert lets(walls["apps"], "edge", "31443"), "where the environment's proxy answers"
    assert not lets(walls["apps"], "edge", "8080")
    assert not lets(walls["apps"], "data", "443")
    assert lets(walls["edge"], "Internet", "443")
    assert not lets(walls["edge"], "Internet", "80")


@pytest.mark.parametrize("environment", [PRODUCTION, SMALL, CLUSTER], ids=lambda one: one.name)
def test_nothing_is_open_to_the_internet_by_a_key(environment: Environment) -> None:
    for one in artifacts(shop(), environment):
        assert not PUBLIC.search(one.text), one.path
        for block in one.text.split("\n\n"):
            if "azurerm_postgresql_flexible_server" in block and "sku_name" in block:
                assert re.search(r"public_network_access_enabled +=[ ]+false", block)
            if block.startswith('resource "azurerm_managed_redis"'):
                assert re.search(r'public_network_access +=[ ]+"Disabled"', block)


def test_a_subscription_has_what_networks_and_gateways_ask_for() -> None:
    texts = {one.path: one.text for one in artifacts(shop())}
    for name in ("Microsoft.Web", "Microsoft.ApiManagement", "Microsoft.ContainerService", "Microsoft.App"):
        assert f'"{name}",' in texts["production/main.tf"]


def test_the_page_has_an_order_in_which_nothing_waits_for_what_comes_later() -> None:
    page = {one.path: one.text for one in artifacts(CAFE, PRODUCTION)}["production/README.md"]
    steps = (
        "azurerm_role_assignment.applies",
        "az keyvault secret set",
        "azurerm_api_management.main",
        "read the plan",
    )
    found = [page.index(step) for step in steps if step in page]
    assert found == sorted(found)
    assert len(found) >= 3


def test_what_has_no_identity_has_an_address_inside() -> None:
    found = of_kind(shops(), Endpoint)
    zones = of_kind(shops(), Zone)
    assert {one.zone for one in found.values()} <= {*zones}
    for kind, some in (("cache", of_kind(shops(), Cache)), ("account", of_kind(shops(), Account))):
        assert {f"{kind}-{name}" for name in some} <= {*found}
    assert {"vault", "bus", "registry"} <= {*found}
    cheap = msgspec.structs.replace(PRODUCTION, engines=Engines())
    assert not {"bus", "registry"} & {*of_kind(resources(scope_of(shop(), cheap)), Endpoint)}
    assert "DEPLOY-AZURE-12" in {one.code for one in findings([scope_of(shop(), cheap)])}


def test_a_registry_inside_is_reached_from_where_images_come() -> None:
    texts = {one.path: one.text for one in artifacts(CAFE, PRODUCTION)}
    assert re.search(
        r'default_action = "Deny"\n +ip_rule = \[\n +\{\n +action +=[ ]"Allow"', texts["production/place.tf"]
    )
    closed = msgspec.structs.replace(PRODUCTION, operators=())
    texts = {one.path: one.text for one in artifacts(CAFE, closed)}
    block = texts["production/place.tf"].split('resource "azurerm_container_registry"')[1].split("\n}")[0]
    assert re.search(r"public_network_access_enabled +=[ ]false", block)


def test_what_holds_data_in_production_is_protected_and_has_a_second_copy() -> None:
    locked = {str(lock.of) for lock in of_kind(shops(), Lock).values()}
    for name, one in of_kind(shops(), Postgres).items():
        assert one.protected
        assert one.copies == 2
        assert one.keep >= 7
        assert f"postgres/{name}:id" in locked
    assert all(f"account/{name}:id" in locked for name in of_kind(shops(), Account))
    assert of_kind(shops(), Vault)["main"].protected
    assert not of_kind(shops("dev"), Lock)
    texts = "".join(one.text for one in artifacts(shop()) if one.path.endswith(".tf"))
    assert 'mode = "ZoneRedundant"' in texts
    assert re.search(r"purge_protection_enabled +=[ ]+true", texts)
    assert re.search(r"zone_redundancy_enabled +=[ ]+true", texts)
    assert '"ZRS"' in texts


def test_a_service_without_callers_has_no_door() -> None:
    for name, one in of_kind(shops(), Workload).items():
        scope = scope_of(shop())
        assert one.exposed == (name in scope.exposed)
        assert one.reached == (one.exposed or bool(scope.callers.get(name)))


def test_no_secret_is_in_any_file_and_none_among_plain_variables() -> None:
    for name, one in of_kind(shops(), Workload).items():
        assert not {*one.environment} & {*one.secrets}, name
        assert not any(":password" in str(value) or "/password" in str(value) for value in one.environment.values())
    for name, secret in of_kind(shops(), Secret).items():
        assert re.fullmatch(r"[a-z0-9-]{1,127}", secret.key), name
    assert len({secret.key for secret in of_kind(shops(), Secret).values()}) == len(of_kind(shops(), Secret))


def test_files_are_where_services_look_for_them() -> None:
    users = of_kind(shops(), Workload)["users"]
    keys = of_kind(shops(), Secret)
    assert users.environment["SHOAL_SIGNING_KEY"] == f"/etc/shoal/files/{keys['users/signing-key'].key}"
    assert users.environment["SHOAL_JWKS"] == f"/etc/shoal/files/{keys['/jwks'].key}"
    assert {*users.files.values()} >= {"users/signing-key", "/jwks"}


def test_a_cluster_reads_every_address_from_the_vault() -> None:
    kept = {secret.key for secret in of_kind(shops("cluster"), Secret).values()}
    assert {
        "shop-orders-store-url",
        "shop-orders-broker-url",
        "shop-products-objects-url",
        "shop-users-key-ring",
    } <= kept
    assert not of_kind(shops("cluster"), Workload)
    assert of_kind(shops("cluster"), Registry)
    assert of_kind(shops("cluster"), Bus)


def test_an_engine_of_one_machine_is_refused_and_one_of_others_is_said() -> None:
    environment = Environment(name="p", choose=("till.store=memory",))
    found = {one.code: one for one in findings([scope_of(CAFE, environment)])}
    assert found["DEPLOY-AZURE-01"].severity == "error"
    asked = Environment(name="p", choose=("products.store=mongo",))
    said = [one.message for one in findings([scope_of(shop(), asked)]) if one.code == "DEPLOY-AZURE-02"]
    assert any("mongo, the store of products" in message for message in said)
    assert of_kind(resources(scope_of(shop(), asked)), Secret)["products/store-url"].text is None


def test_what_stands_for_what_is_said() -> None:
    said = {one.message for one in findings([scope_of(shop())]) if one.code == "DEPLOY-AZURE-03"}
    assert "the store of orders is documents on Azure, and not dynamodb" in said
    assert "the store of products is documents on Azure, and not mongo" in said


def test_a_name_that_no_app_can_have_is_refused_where_others_call_it() -> None:
    odd = msgspec.structs.replace(CAFE.services[1], name="a--menu")
    calls = tuple(msgspec.structs.replace(call, service="a--menu") for call in CAFE.services[0].calls)
    system = System(
        name="cafe", services=(msgspec.structs.replace(CAFE.services[0], calls=calls), odd), gateway=CAFE.gateway
    )
    found = [one for one in findings([scope_of(system)]) if one.code == "DEPLOY-AZURE-16"]
    assert [one.severity for one in found] == ["error"]


def test_a_key_that_azure_makes_is_quoted_for_its_address() -> None:
    texts = {one.path: one.text for one in artifacts(shop())}
    assert (
        "${urlencode(azurerm_managed_redis.web.default_database[0].primary_access_key)}@"
        in texts["production/service-web.tf"]
    )
    assert "${uriComponent(redis_web.listKeys().primaryKey)}@" in texts["production/bicep/service-web.bicep"]


def test_images_have_the_clients_of_engines_here() -> None:
    texts = {one.path: one.text for one in artifacts(shop(), PRODUCTION, SMALL)}
    assert "shoal[servicebus]" in texts["images/orders/requirements.in"]
    assert "FROM python:" in texts["images/web/Dockerfile"]
    assert len([path for path in texts if path.startswith("images/orders/")]) == 3


def test_another_region_has_copies_where_that_is_asked_for() -> None:
    far = msgspec.structs.replace(PRODUCTION, far_backups=True)
    found = resources(scope_of(shop(), far))
    assert {one.copies for one in of_kind(found, Account).values()} == {"GZRS"}
    assert all(one.far for one in of_kind(found, Postgres).values())
    assert {one.copies for one in of_kind(shops("dev"), Account).values()} == {"LRS"}
