"""Who reaches whom: what is declared, and nothing from outside."""

import re

import msgspec
import pytest
import yaml

from shoal.deploy.aws.compile import findings
from shoal.deploy.aws.network import BALANCER, LINK
from shoal.deploy.aws.parts import resources
from shoal.deploy.aws.resources import Bucket, Documents, Door, Group, Postgres, Resource, Secret, Table, Workload
from shoal.deploy.aws.settings import Environment
from shoal.model.edge import Edge
from shoal.model.issuers import Entra
from shoal.model.service import Service
from shoal.model.shaping import Headers, Transform
from shoal.model.system import System
from tests.deploy.aws.samples import PRODUCTION, artifacts, of_kind, scope_of, shops
from tests.deploy.samples import CAFE, endpoint, shop

ENTRA = Entra("0000-1111", "cafe")


def test_a_service_is_reached_by_who_declares_a_call_of_it_and_by_the_balancer() -> None:
    scope = scope_of(shop())
    for name, group in of_kind(shops(), Group).items():
        if name in {service.name for service in scope.plan.services}:
            calling = {s.name for s in scope.plan.services for call in s.calls if call.service == name}
            assert set(group.callers) == calling | ({BALANCER} if name in scope.exposed else set())
    assert of_kind(shops(), Group)[BALANCER].callers == (LINK,)


def test_an_engine_is_reached_by_its_owner() -> None:
    groups = of_kind(shops(), Group)
    for name in of_kind(shops(), Postgres):
        assert groups[f"postgres-{name}"].callers == (name,)
    for name in of_kind(shops(), Documents):
        assert groups[f"mongo-{name}"].callers == (name,)


def test_no_group_and_no_database_is_open_to_the_internet() -> None:
    for artifact in artifacts(shop()):
        assert not re.search(r"publicly_accessible +=[ ]+true|internal +=[ ]+false", artifact.text)
        for part in artifact.text.split("\n\n"):
            if "security_group_ingress_rule" in part:
                assert "cidr" not in part, part
            assert "assign_public_ip" not in part


def test_what_holds_data_in_production_is_protected_and_encrypted() -> None:
    for kind in (Postgres, Documents, Table, Bucket):
        for one in of_kind(shops(), kind).values():
            assert one.protected  # type: ignore[attr-defined]
    whole = "\n".join(artifact.text for artifact in artifacts(shop()))
    for promise in ("storage_encrypted", "deletion_protection", "deletion_protection_enabled", "multi_az"):
        assert set(re.findall(rf"\b{promise} += (\w+)", whole)) == {"true"}, promise


def test_the_door_serves_what_is_exposed_and_overwrites_who_is_meant() -> None:
    scope, door = scope_of(shop()), of_kind(shops(), Door)["main"]
    served = {route.key for route in door.routes}
    exposed = {f"{r.method} {r.path}" for r in scope.plan.routes if r.edge.socket is None}
    assert served == exposed
    for route in door.routes:
        assert route.parameters["overwrite:header.x-shoal-service"] == route.service
        assert "remove:header.x-real-ip" in route.parameters
    printed = next(route for route in door.routes if route.key == "GET /p/{sku}")
    assert printed.parameters["overwrite:path"] == "/products/${request.path.sku}/printed"


def test_the_api_as_a_stack_has_the_routes_of_the_other() -> None:
    texts = {artifact.path: artifact.text for artifact in artifacts(shop(), PRODUCTION)}
    found = yaml.load(texts["production/api.yaml"], yaml.CSafeLoader)["Resources"]
    stack = {one["Properties"]["RouteKey"] for one in found.values() if one["Type"].endswith("::Route")}
    assert stack == set(re.findall(r'route_key += "(.+)"', texts["production/edge.tf"]))
    for one in found.values():
        if one["Type"].endswith("::Route"):
            assert one["Properties"]["Target"]["Fn::Join"][1][1]["Ref"] in found


def test_no_secret_is_in_any_file_and_none_among_plain_variables() -> None:
    for workload in of_kind(shops(), Workload).values():
        for name in workload.environment:
            assert not name.endswith(("PASSWORD", "KEY")) or name == "SHOAL_SIGNING_KEY", name
        assert not set(workload.environment) & set(workload.secrets)
    by_hand = {name for name, one in of_kind(shops(), Secret).items() if one.text is None}
    assert "users/signing-key" in by_hand
    assert "users/store-url" not in by_hand


def test_a_secret_that_a_service_can_do_without_is_there_where_it_is_asked_for() -> None:
    variable = "PAYMENTS__PROVIDER_KEY"
    asked = resources(scope_of(shop(), Environment(name="p", optional=(variable,))))
    assert variable in of_kind(asked, Workload)["payments"].secrets
    assert variable not in of_kind(shops(), Workload)["payments"].secrets


def test_tokens_of_a_pool_are_verified_at_the_door_where_they_are_the_only_ones() -> None:
    alone = msgspec.structs.replace(CAFE, gateway=msgspec.structs.replace(CAFE.gateway, issuer=None, issuers=(ENTRA,)))
    door = next(one for one in _made(alone) if isinstance(one, Door))
    assert {route.authorizer for route in door.routes if route.key == "POST /sales"} == {"entra"}
    assert not any(route.authorizer for one in _made(CAFE) if isinstance(one, Door) for route in one.routes)


def _made(system: System) -> tuple[Resource, ...]:
    return resources(scope_of(system))


def test_an_engine_of_one_machine_is_refused_and_one_of_others_is_said() -> None:
    scope = scope_of(shop(), Environment(name="p", choose=("orders.store=memory", "broker=kafka")))
    found = {(one.code, one.severity) for one in findings([scope])}
    assert {("DEPLOY-AWS-01", "error"), ("DEPLOY-AWS-02", "info")} <= found


def test_a_topic_with_more_hearers_than_it_takes_is_refused() -> None:
    till = msgspec.structs.replace(CAFE.service("till"), calls=())
    menu = CAFE.service("menu")
    guests = tuple(
        Service(name=f"guest-{n}", entry="a:b", store=menu.store, subscriptions=menu.subscriptions) for n in range(26)
    )
    crowded = msgspec.structs.replace(CAFE, services=(till, *guests))
    assert "DEPLOY-AWS-17" in {one.code for one in findings([scope_of(crowded)])}
    assert "DEPLOY-AWS-17" not in {one.code for one in findings([scope_of(CAFE)])}


@pytest.mark.parametrize("name", ["link", "delivery", "till-start", "edge", "all"])
def test_a_service_with_the_name_of_what_is_made_beside_it_is_refused(name: str) -> None:
    menu = CAFE.service("menu")
    odd = Service(name=name, entry="a:b", store=menu.store)
    system = msgspec.structs.replace(CAFE, services=(*CAFE.services, odd))
    found = findings([scope_of(system, Environment(name="p", repository="a/b"))])
    assert [one.severity for one in found if one.code == "DEPLOY-AWS-25"] == ["error"]
    assert "DEPLOY-AWS-25" not in {one.code for one in findings([scope_of(CAFE)])}


@pytest.mark.parametrize("value", ["$context.identity.sourceIp", "for ${request.header.authorization}"])
def test_a_text_that_an_api_would_take_for_a_variable_is_refused(value: str) -> None:
    for asked, codes in ((value, ["error"]), ("5 $ a month", [])):
        shaped = Edge(transform=Transform(request=Headers(set={"x-note": asked})))
        own = endpoint("sell", "POST", "/sales", edge=shaped)
        system = System(name="cafe", services=(Service(name="till", entry="a:b", endpoints=(own,)),))
        assert [one.severity for one in findings([scope_of(system)]) if one.code == "DEPLOY-AWS-27"] == codes


def test_the_network_is_in_zones_that_have_what_it_needs() -> None:
    text = "".join(one.text for one in artifacts(CAFE) if one.path == "production/network.tf")
    zones = text.split('data "aws_availability_zones" "here"')[1].split("}")[0]
    assert '"use1-az3"' in zones, "an HTTP API has no private link there"


def test_who_sends_mail_reaches_the_interface_of_ses_too_which_its_role_may_ask() -> None:
    group = of_kind(resources(scope_of(shop(), PRODUCTION)), Group)["notifications"]
    assert group.outside == (443, 587)


def test_lines_of_engines_are_kept_as_long_as_those_of_services() -> None:
    texts = {artifact.path: artifact.text for artifact in artifacts(shop())}
    for path, text in texts.items():
        exported = re.findall(r"enabled_cloudwatch_logs_exports|log_exports", text)
        kept = re.findall(r'name += "/aws/(rds|redshift)/[^"]+"\n  retention_in_days = (\d+)', text)
        waited = re.findall(r"aws_cloudwatch_log_group\.\w+_(postgres|connectionlog|userlog)\b", text)
        assert len(kept) == len(waited), path
        assert bool(kept) == bool(exported), path
        assert {days for _, days in kept} <= {str(PRODUCTION.keep_logs)}
    assert '"/aws/rds/instance/shop-production-users/postgresql"' in texts["production/service-users.tf"]
    assert '"/aws/redshift/shop-production-analytics/userlog"' in texts["production/service-analytics.tf"]
