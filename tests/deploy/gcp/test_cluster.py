"""A cluster and the manifests for it agree: about settings, about accounts, and about secrets."""

from typing import Any

import yaml

from shoal.deploy.gcp import cluster
from shoal.deploy.gcp.resources import Account, Password, Secret
from shoal.deploy.gcp.rights import NODES
from shoal.deploy.gcp.scope import Scope
from shoal.deploy.gcp.settings import Environment
from shoal.deploy.gcp.workloads import POD
from shoal.deploy.kubernetes import readme
from shoal.deploy.kubernetes.compile import compile_kubernetes
from shoal.deploy.kubernetes.scope import Scope as Manifests
from shoal.deploy.kubernetes.settings import Size as PodSize
from shoal.deploy.kubernetes.settings import read
from shoal.deploy.kubernetes.target import target
from shoal.model.plan import plan
from tests.deploy.gcp.samples import CLUSTER, artifacts, of_kind, scope_of, shops
from tests.deploy.samples import CAFE, shop


def manifests(scope: Scope) -> Manifests:
    """Plan what `shoal deploy kubernetes` does with the file that is written for it."""
    said = read(cluster.document(scope), where="kubernetes.toml")
    return Manifests(plan=plan(scope.plan.system, target(scope.plan.system, said)), environments=(said,))


def documents_of(scope: Scope) -> list[dict[str, Any]]:
    """Read all manifests."""
    return [
        document
        for artifact in compile_kubernetes(manifests(scope))
        if artifact.path.endswith(".yaml")
        for document in yaml.load_all(artifact.text, yaml.CSafeLoader)
        if document and "kind" in document
    ]


def test_the_file_says_what_is_meant() -> None:
    said = Environment(
        name="c", compute="kubernetes", hosts=("a.example",), least=0, most=9, settings={"TILL__CURRENCY": "EUR"},
        optional=("X",),
    )  # fmt: skip
    for scope in (scope_of(shop(), CLUSTER), scope_of(CAFE, said)):
        assert read(cluster.document(scope), where="kubernetes.toml") == cluster.environment(scope)


def test_manifests_find_every_secret_and_there_is_no_other() -> None:
    found = manifests(scope_of(shop(), CLUSTER))
    made = {one.secret: one for one in of_kind(shops(CLUSTER.name), Secret).values()}
    assert set(made) == readme.asked(found, found.environments[0])
    by_hand = {name for name, one in made.items() if one.text is None}
    assert by_hand == {
        "shop-analytics-objects-url", "shop-jwks", "shop-key-set", "shop-products-objects-url", "shop-signing-key",
    }  # fmt: skip
    assert str(made["shop-orders-store-url"].text) == "firestore:///shop-cluster/orders-documents"
    assert str(made["shop-web-valkey-password"].text).startswith("p<"), "it begins with a letter"
    assert {"shop-web-valkey-password", "users"} <= set(of_kind(shops(CLUSTER.name), Password))


def test_accounts_of_manifests_are_those_that_have_rights() -> None:
    found = documents_of(scope_of(shop(), CLUSTER))
    there = {document["metadata"]["name"] for document in found if document["kind"] == "ServiceAccount"}
    known = {name for name, one in of_kind(shops(CLUSTER.name), Account).items() if one.namespace}
    assert known <= there
    assert "streams" in known


def test_services_in_a_cluster_believe_their_databases_by_their_authorities_alone() -> None:
    scope = scope_of(shop(), CLUSTER)
    owners = {service.name for service in scope.users("postgres")}
    made = {one.secret: one for one in of_kind(shops(CLUSTER.name), Secret).values()}
    for name in owners:
        (text,) = {str(made[one].text) for one in made if str(made[one].text).startswith(f"postgres://{name}:")}
        assert text.endswith(f"?sslmode=verify-ca&sslrootcert={cluster.AUTHORITY}"), name
        assert f"<postgres/{name}:authority>" in str(made["shop-postgres-ca"].text)
    found = documents_of(scope)
    (secret,) = (one for one in found if one["kind"] == "ExternalSecret" and one["metadata"]["name"] == "postgres-ca")
    (asked,) = secret["spec"]["data"]
    assert (asked["secretKey"], asked["remoteRef"]["key"]) == ("ca.crt", "shop-postgres-ca")
    mounted = {
        (one["kind"], one["spec"]["template"]["spec"]["serviceAccountName"])
        for one in found
        if one["kind"] in ("Deployment", "Job") and "authorities" in yaml.dump(one["spec"]["template"])
    }
    assert mounted >= {(kind, name) for kind in ("Deployment", "Job") for name in owners}


def test_machines_have_an_account_of_their_own_which_fetches_images_and_writes_logs() -> None:
    found = of_kind(shops(CLUSTER.name), Account)[NODES]
    assert {(right.role, str(right.on or "")) for right in found.rights} == {
        ("roles/container.defaultNodeServiceAccount", ""),
        ("roles/artifactregistry.reader", "repository/shop:name"),
    }
    text = {one.path: one.text for one in artifacts(shop(), CLUSTER)}["cluster/cluster.tf"]
    assert "service_account = google_service_account.cluster_nodes.email" in text
    assert 'database_encryption {\n    state    = "ENCRYPTED"' in text, "secrets in it are encrypted by our key"


def test_pods_are_promised_what_manifests_promise() -> None:
    plain = PodSize()
    assert f"{POD[0]}m" == plain.cpu
    assert f"{POD[1]}Mi" == plain.memory
