"""Who reaches whom: what is declared, and nothing from outside but by the door."""

import re

import pytest
import yaml

from shoal.deploy.gcp import edge
from shoal.deploy.gcp.compile import findings
from shoal.deploy.gcp.hcl.balancer import pattern
from shoal.deploy.gcp.hcl.compute import ENTRIES
from shoal.deploy.gcp.knative import ENTRIES as SPELLED
from shoal.deploy.gcp.network import ANYWHERE, GOOGLE
from shoal.deploy.gcp.parts import resources
from shoal.deploy.gcp.resources import (
    Alarm,
    Bucket,
    Cache,
    Cluster,
    Dataset,
    Documents,
    Door,
    Key,
    Passage,
    Postgres,
    Secret,
    Subscription,
    Workload,
)
from shoal.deploy.gcp.settings import Environment, Size
from shoal.model.limits import RateLimit
from tests.deploy.gcp.samples import CLUSTER, PRODUCTION, SMALL, artifacts, of_kind, scope_of, shops
from tests.deploy.samples import CAFE, shop


def test_what_leaves_is_refused_but_for_what_is_declared() -> None:
    scope, found = scope_of(shop()), of_kind(shops(), Passage)
    assert found["nothing-else"].refuses
    assert found["nothing-else"].to == (ANYWHERE,)
    assert found["google"].to == (GOOGLE,)
    outside = {one.tags[0]: one.ports for name, one in found.items() if name.startswith("outside-")}
    assert outside == {"notifications": (587,), "payments": (443,)}
    for service in scope.plan.services:
        uses = "postgres" in scope.uses(service).values()
        assert (f"postgres-{service.name}" in found) == uses
        if uses:
            assert found[f"postgres-{service.name}"].tags == (service.name,)
    assert found["valkey"].tags == ("web",)


def test_ports_outside_are_those_that_are_said_or_usual() -> None:
    said = {
        "PAYMENTS__PROVIDER_URL": "https://provider.example:8443/v1",
        "NOTIFICATIONS__SMTP_URL": "smtp://mail.example",
    }
    scope = scope_of(shop(), Environment(name="p", settings=said, choose=("broker=kafka",)))
    found = of_kind(resources(scope), Passage)
    assert found["outside-payments"].ports == (8443, 9092, 9093)
    assert found["outside-notifications"].ports == (587, 9092, 9093)
    assert "outside-web" not in found


def test_a_database_has_no_public_address_and_speaks_tls_only() -> None:
    whole = "\n".join(artifact.text for artifact in artifacts(shop()))
    assert set(re.findall(r"ipv4_enabled += (\w+)", whole)) == {"false"}
    assert set(re.findall(r'ssl_mode += "(\w+)"', whole)) == {"ENCRYPTED_ONLY"}
    assert set(re.findall(r'transit_encryption_mode += "(\w+)"', whole)) == {"SERVER_AUTHENTICATION"}
    assert set(re.findall(r'public_access_prevention += "(\w+)"', whole)) == {"enforced"}
    assert "allUsers" not in whole
    for rule in re.findall(r'resource "google_compute_firewall" "([\w-]+)" \{(.*?)\n\}', whole, re.DOTALL):
        assert ("0.0.0.0/0" in rule[1]) == rule[0].startswith(("outside-", "nothing-else")), rule[0]


def test_what_holds_data_in_production_is_protected_and_encrypted_by_our_key() -> None:
    for kind in (Postgres, Documents, Bucket, Dataset, Cache):
        for one in of_kind(shops(), kind).values():
            assert one.protected  # type: ignore[attr-defined]
    whole = "\n".join(artifact.text for artifact in artifacts(shop()))
    jobless = re.sub(r'"google_cloud_run_v2_job".*?\n}', "", whole, flags=re.DOTALL)
    for promise in ("deletion_protection", "deletion_protection_enabled", "retain_backups_on_delete"):
        said = set(re.findall(rf"\b{promise} += (\w+)", jobless))
        assert said == {"true"}, promise
    key = of_kind(shops(), Key)["data"]
    wanted = {"artifactregistry", "bigquery", "firestore", "memorystore", "pubsub", "sqladmin", "storage"}
    assert set(key.agents) == wanted
    for agent in wanted:
        assert f'"google_kms_crypto_key_iam_member" "data_{agent}"' in whole
    assert "google_kms_crypto_key.data" not in "".join(one.text for one in artifacts(shop(), SMALL))


def test_the_balancer_serves_what_is_exposed_the_closest_path_first() -> None:
    scope, door = scope_of(shop()), of_kind(shops(), Door)["main"]
    served = {(route.method, route.path) for route in door.routes}
    assert served == {(r.method, r.path) for r in scope.plan.routes}
    text = {artifact.path: artifact.text for artifact in artifacts(shop())}["production/edge.tf"]
    assert text.count("path_template_match") + text.count("full_path_match") == len(served)
    assert 'path_template_match = "/p/{sku=*}"' in text
    orders = text.index('full_path_match = "/orders"'), text.index('path_template_match = "/orders/{order_id=*}"')
    assert orders[0] < orders[1]


def test_nothing_is_served_under_a_name_that_is_nobodys() -> None:
    text = {artifact.path: artifact.text for artifact in artifacts(shop())}["production/edge.tf"]
    routes = text.split('resource "google_compute_url_map" "door"')[1].split("\n}\n")[0]
    for place in ("\n  default_route_action {", "\n    default_route_action {"):
        refused = routes.split(place)[1].split(place[:-1].partition("d")[0] + "}")[0]
        assert re.search(r"http_status = 404\n +percentage +=[ ]100", refused), place


def test_limits_are_counted_at_the_balancer() -> None:
    door = of_kind(shops(), Door)["main"]
    found = {f"{route.method} {route.path}": route.limit for route in door.routes if route.limit is not None}
    orders, users = found["POST /orders"], found["POST /users"]
    assert (orders.count, orders.seconds, orders.by) == (100, 10, "address")
    assert (users.count, users.seconds, users.by) == (120, 120, "address")
    text = {artifact.path: artifact.text for artifact in artifacts(shop())}["production/edge.tf"]
    assert "request.path.matches('^/web/cart/[^/]+$')" in text
    assert "HTTP_HEADER" not in text, "who sends another header each time would never be refused"
    said = [one.message for one in findings([scope_of(shop())]) if one.code == "DEPLOY-GCP-28"]
    assert any(one.startswith("the rate limit of POST /orders is for each address") for one in said)
    assert not any("POST /users" in one for one in said), "it is declared for each address"


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/web/cart/{sku}", "^/web/cart/[^/]+$"),
        ("/v1.0/a-b", r"^/v1\\.0/a-b$"),
        ("/it's", r"^/it\'s$"),
        ("/a(b)*", r"^/a\\(b\\)\\*$"),
    ],
)
def test_a_path_is_a_pattern_within_a_text(path: str, written: str) -> None:
    assert pattern(path) == written


@pytest.mark.parametrize("limit", [RateLimit(requests=1, per=86_400), RateLimit(requests=1000, per=0.05)])
def test_every_limit_has_an_interval_that_there_is(limit: RateLimit) -> None:
    found = edge.counted(limit)
    assert found.seconds in edge.INTERVALS
    assert found.count >= 1


def test_a_gateway_serves_the_same_and_says_who_it_is() -> None:
    texts = {artifact.path: artifact.text for artifact in artifacts(shop(), SMALL)}
    found = yaml.load(texts["dev/api.yaml"], yaml.CSafeLoader)
    served = {(method.upper(), path) for path, methods in found["paths"].items() for method in methods}
    exposed = {(r.method, r.path) for r in scope_of(shop(), SMALL).plan.routes if r.edge.socket is None}
    assert exposed - served == {("GET", "/p/{sku}")}, "its path has a parameter, which no gateway moves"
    assert served <= exposed
    names = [one["operationId"] for methods in found["paths"].values() for one in methods.values()]
    assert len(names) == len(set(names))
    for methods in found["paths"].values():
        for one in methods.values():
            backend = one["x-google-backend"]
            assert backend["jwt_audience"] == backend["address"].partition(".app")[0] + ".app"
    workloads = of_kind(shops("dev"), Workload)
    assert workloads["orders"].entry == "everybody"
    assert not workloads["orders"].open
    assert workloads["orders"].environment["SHOAL_FORWARDED"] == "x-forwarded-authorization"
    assert "DEPLOY-GCP-26" in {one.code for one in findings([scope_of(shop(), SMALL)])}


def test_services_behind_a_balancer_are_reached_by_it_and_the_others_from_inside() -> None:
    made = of_kind(resources(scope_of(CAFE, Environment(name="p", hosts=("cafe.example",)))), Workload)
    assert {name: one.entry for name, one in made.items()} == {"till": "balancer", "menu": "balancer"}
    assert set(ENTRIES) == set(SPELLED)


def test_callers_find_each_other_and_say_who_they_are() -> None:
    made = of_kind(shops(), Workload)
    for service in scope_of(shop()).plan.services:
        told = made[service.name].environment
        assert ("SHOAL_MESH" in told) == bool(service.calls)
        assert told.get("SHOAL_CALLER", "") == ("google" if service.calls else "")
    assert str(made["orders"].environment["SHOAL_MESH"]) == "https://{service}-<project/own:number>.us-central1.run.app"


def test_the_same_service_is_written_for_cloud_run_itself() -> None:
    texts = {artifact.path: artifact.text for artifact in artifacts(shop())}
    for name, workload in of_kind(shops(), Workload).items():
        found = yaml.load(texts[f"production/run/{name}.yaml"], yaml.CSafeLoader)
        spec = found["spec"]["template"]["spec"]
        annotations = found["spec"]["template"]["metadata"]["annotations"]
        assert annotations["autoscaling.knative.dev/minScale"] == str(workload.least)
        assert annotations["autoscaling.knative.dev/maxScale"] == str(workload.most)
        assert annotations["run.googleapis.com/cpu-throttling"] == ("false" if workload.always else "true")
        assert spec["containerConcurrency"] == workload.together
        told = {one["name"] for one in spec["containers"][0]["env"]}
        assert told == {*workload.environment, *workload.secrets}
        assert "PROJECT_NUMBER" not in texts[f"production/run/{name}.yaml"]


def test_no_secret_is_in_any_file_and_none_among_plain_variables() -> None:
    for workload in of_kind(shops(), Workload).values():
        for name in workload.environment:
            assert not name.endswith(("PASSWORD", "KEY")) or name == "SHOAL_SIGNING_KEY", name
        assert not set(workload.environment) & set(workload.secrets)
    by_hand = {name for name, one in of_kind(shops(), Secret).items() if one.text is None}
    assert {"users/signing-key", "products/objects-url", "all/jwks"} <= by_hand
    assert "users/store-url" not in by_hand


def test_files_are_where_services_look_for_them() -> None:
    for workload in of_kind(shops(), Workload).values():
        folders = [path.rpartition("/")[0] for path in workload.files]
        assert len(folders) == len(set(folders)), "a secret is a volume of its own"
        for name in ("SHOAL_JWKS", "SHOAL_KEY_SET", "SHOAL_SIGNING_KEY"):
            if name in workload.environment:
                assert workload.environment[name] in workload.files


def test_a_cluster_takes_the_place_of_cloud_run() -> None:
    made = shops(CLUSTER.name)
    assert of_kind(made, Cluster)
    assert not of_kind(made, Workload)
    assert not of_kind(made, Door)
    text = "\n".join(artifact.text for artifact in artifacts(shop(), CLUSTER))
    assert "MANAGEMENT_AUTOMATIC" in text
    assert re.search(r"enable_private_endpoint +=[ ]true", text)
    waits = r"google_gke_hub_feature.mesh, google_kms_crypto_key_iam_member.data_container"
    assert re.search(rf"depends_on +=[ ]\[{waits}\]", text)
    assert ".svc.id.goog/subject/ns/shop-cluster/sa/orders" in text
    assert 'resource "google_service_account" "orders"' not in text
    assert not of_kind(made, Cache), "it has one in itself"


def test_an_engine_of_one_machine_is_refused_and_one_of_others_is_said() -> None:
    scope = scope_of(shop(), Environment(name="p", choose=("orders.store=memory", "broker=kafka")))
    found = {(one.code, one.severity) for one in findings([scope])}
    assert {("DEPLOY-GCP-01", "error"), ("DEPLOY-GCP-02", "info")} <= found
    helps = {one.help for one in findings([scope]) if one.code == "DEPLOY-GCP-02"}
    assert "fill in the secret users_broker-url" in helps


def test_a_gateway_in_a_region_that_has_none_is_named() -> None:
    codes = {one.code for one in findings([scope_of(CAFE, Environment(name="p", region="europe-west3"))])}
    assert "DEPLOY-GCP-27" in codes
    assert "DEPLOY-GCP-27" not in {one.code for one in findings([scope_of(CAFE, Environment(name="p"))])}


def test_what_stands_for_what_is_said() -> None:
    found = [one.message for one in findings([scope_of(shop(), PRODUCTION)]) if one.code == "DEPLOY-GCP-17"]
    assert sorted(message.partition(",")[0] for message in found) == [
        "firestore stands for dynamodb", "firestore stands for mongo", "postgres-search stands for opensearch",
    ]  # fmt: skip


def test_there_is_one_condition_for_each_kind_of_trouble_which_looks_at_each_service() -> None:
    alarms = of_kind(shops(), Alarm)
    assert set(alarms) == {"disks", "errors", "busy-4", "late", "letters"}
    heard = [name for name in of_kind(shops(), Subscription) if not name.endswith("._letters")]
    late, letters = (alarms[name].labels["resource.label.subscription_id"][2:] for name in ("late", "letters"))
    assert all(re.fullmatch(late, name) and not re.fullmatch(letters, name) for name in heard)
    kept = [name for name in of_kind(shops(), Subscription) if name.endswith("._letters")]
    assert kept
    assert all(re.fullmatch(letters, name) and not re.fullmatch(late, name) for name in kept)
    uneven = Environment(name="p", services={"orders": Size(most=9)})
    busy = [one for name, one in of_kind(resources(scope_of(shop(), uneven)), Alarm).items() if name.startswith("busy")]
    assert [one.above for one in busy] == [3.5, 8.5]
    assert re.fullmatch(busy[1].labels["resource.label.service_name"][2:], "orders")
