"""Each service may do what it declared, and is denied what it did not: roles are evaluated, permission by permission.

What a role of Google allows is written here as far as the tests ask; sources: "IAM roles and permissions" of each
product.
"""

import pytest

from shoal.deploy.cloud.values import Ref
from shoal.deploy.gcp.messages import named
from shoal.deploy.gcp.resources import Account, Dataset, Grade
from shoal.deploy.gcp.rights import DELIVERY
from shoal.model import names
from tests.deploy.gcp.samples import CLUSTER, of_kind, scope_of, shops
from tests.deploy.samples import shop

SERVICES = tuple(service.name for service in shop().services)

ROLES = {
    "roles/artifactregistry.writer": {"artifactregistry.repositories.uploadArtifacts"},
    "roles/bigquery.dataEditor": {"bigquery.tables.updateData", "bigquery.tables.create"},
    "roles/bigquery.jobUser": {"bigquery.jobs.create"},
    "roles/cloudkms.cryptoKeyEncrypterDecrypter": {
        "cloudkms.cryptoKeyVersions.useToDecrypt", "cloudkms.cryptoKeyVersions.useToEncrypt",
    },
    "roles/cloudtrace.agent": {"cloudtrace.traces.patch"},
    "roles/container.developer": {"container.deployments.update"},
    "roles/datastore.user": {"datastore.entities.create", "datastore.entities.get", "datastore.entities.update"},
    "roles/iam.serviceAccountUser": {"iam.serviceAccounts.actAs"},
    "roles/monitoring.metricWriter": {"monitoring.timeSeries.create"},
    "roles/pubsub.publisher": {"pubsub.topics.publish"},
    "roles/pubsub.subscriber": {"pubsub.subscriptions.consume", "pubsub.topics.attachSubscription"},
    "roles/run.developer": {"run.services.update", "run.jobs.update", "run.jobs.run"},
    "roles/run.invoker": {"run.routes.invoke"},
    "roles/secretmanager.secretAccessor": {"secretmanager.versions.access"},
    "roles/storage.objectUser": {"storage.objects.create", "storage.objects.delete", "storage.objects.get"},
}  # fmt: skip
"""Role → permissions of it."""

NOBODYS = (
    "iam.serviceAccountKeys.create", "iam.serviceAccounts.getAccessToken", "resourcemanager.projects.setIamPolicy",
    "storage.buckets.delete", "cloudkms.cryptoKeyVersions.destroy", "cloudsql.instances.delete",
    "datastore.databases.delete", "run.services.setIamPolicy",
)  # fmt: skip
"""Nothing that any service does by itself."""


def may(account: str, permission: str, on: Ref | None = None, *, named_: str = "") -> bool:
    """Evaluate an account's roles as IAM does: a role on a thing, or on the project where no condition forbids."""
    grades = {name: set(one.permissions) for name, one in of_kind(shops(), Grade).items()}
    return any(
        permission in (ROLES.get(right.role) or grades[right.role])
        and (right.on == on or right.on is None)
        and (not right.when or right.when == f'resource.name == "{named_}"')
        for right in of_kind(shops(), Account)[account].rights
    )


def topic(name: str) -> Ref:
    return Ref("topic", name, "name")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_publishes_and_hears_what_it_declared_and_nothing_else(name: str) -> None:
    plan = scope_of(shop()).plan
    broker = plan.service(name).broker
    own = {broker.stream} if broker else set()
    heard = {named(c.stream, c.durable) for c in broker.consumers} if broker else set()
    if heard:
        own.add(names.dead_letter_stream("shop", name))
    for stream in plan.streams:
        assert may(name, "pubsub.topics.publish", topic(stream.name)) == (stream.name in own)
    every = {named(c.stream, c.durable) for s in plan.services if s.broker for c in s.broker.consumers}
    for one in every:
        place = Ref("subscription", one, "name")
        assert may(name, "pubsub.subscriptions.consume", place) == (one in heard)
        assert not may(name, "pubsub.subscriptions.delete", place)
    assert may(name, "pubsub.topics.list") == bool(broker)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_keeps_its_own_and_sees_nobody_elses(name: str) -> None:
    scope = scope_of(shop())
    used = set(scope.uses(scope.plan.service(name)).values())
    personal = bool(shop().service(name).personal)
    for other in SERVICES:
        own = other == name
        database = f"projects/example-shop/databases/{other}-documents"
        assert may(name, "datastore.entities.get", named_=database) == (own and "firestore" in used)
        assert may(name, "storage.objects.get", Ref("bucket", other, "name")) == (own and "gcs" in used)
        key = Ref("key", f"personal-{other}", "id")
        assert may(name, "cloudkms.cryptoKeyVersions.useToDecrypt", key) == (own and personal)
        assert may(name, "bigquery.tables.updateData", Ref("dataset", other, "id")) == (own and "bigquery" in used)
    for permission in NOBODYS:
        assert not may(name, permission)
    assert not may(name, "cloudkms.cryptoKeyVersions.useToDecrypt", Ref("key", "data", "id"))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_calls_whom_it_declared(name: str) -> None:
    declared = {call.service for call in scope_of(shop()).plan.service(name).calls}
    for other in SERVICES:
        assert may(name, "run.routes.invoke", Ref("workload", other, "name")) == (other in declared)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_reads_its_own_secrets_and_what_everybody_reads(name: str) -> None:
    for other in SERVICES:
        if other != name:
            for secret in ("store-url", "signing-key", "objects-url", "postgres"):
                place = Ref("secret", f"{other}/{secret}", "id")
                assert not may(name, "secretmanager.versions.access", place)
    assert may(name, "secretmanager.versions.access", Ref("secret", "all/jwks", "id"))
    assert may("users", "secretmanager.versions.access", Ref("secret", "users/signing-key", "id"))


def test_a_dataset_is_written_by_its_owner() -> None:
    assert {name: one.account for name, one in of_kind(shops(), Dataset).items()} == {"analytics": "analytics"}


def test_the_operator_declares_streams_and_reads_no_message() -> None:
    assert may("operator", "pubsub.topics.create")
    assert not may("operator", "pubsub.subscriptions.consume", Ref("subscription", "SHOP_ORDERS.payments-0", "name"))
    assert not may("operator", "pubsub.topics.publish", topic("SHOP_ORDERS"))
    assert may("operator", "pubsub.topics.publish", topic("SHOP_ORDERS_DEAD._turn"))


def test_pipelines_deliver_as_the_accounts_that_there_are_and_have_no_key() -> None:
    assert may(DELIVERY, "iam.serviceAccounts.actAs", Ref("account", "orders", "id"))
    assert not may(DELIVERY, "iam.serviceAccounts.actAs", Ref("account", DELIVERY, "id"))
    assert not may(DELIVERY, "iam.serviceAccounts.actAs")
    assert not may(DELIVERY, "secretmanager.versions.access", Ref("secret", "users/store-url", "id"))
    assert may(DELIVERY, "run.services.update", Ref("workload", "orders", "name"))


def test_the_gateway_calls_what_is_exposed_and_nothing_more() -> None:
    gateway = of_kind(shops("dev"), Account)["gateway"]
    called = {right.on.name for right in gateway.rights if right.on is not None}
    assert called == set(scope_of(shop()).exposed)
    assert {right.role for right in gateway.rights} == {"roles/run.invoker"}


def test_a_role_on_the_project_is_narrowed_or_has_no_narrower_one() -> None:
    wide = {"roles/bigquery.jobUser", "roles/cloudtrace.agent", "roles/monitoring.metricWriter"}
    for account in of_kind(shops(), Account).values():
        for right in account.rights:
            assert right.role.startswith("roles/") or right.role in of_kind(shops(), Grade)
            if right.on is None and not right.when:
                assert right.role in wide | {*of_kind(shops(), Grade)}, account.name


def test_in_a_cluster_rights_are_those_of_its_accounts() -> None:
    accounts = of_kind(shops(CLUSTER.name), Account)
    assert {accounts[name].namespace for name in (*SERVICES, "streams", "secrets-reader")} == {"shop-cluster"}
    for name in SERVICES:
        assert not any("secretmanager" in right.role for right in accounts[name].rights), "External Secrets reads them"
    assert not any(right.role == "roles/run.invoker" for one in accounts.values() for right in one.rights)
