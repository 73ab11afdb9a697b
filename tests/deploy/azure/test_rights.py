"""Each service may do what it declared, and is denied what it did not: roles are evaluated, action by action.

What a role allows stands in Microsoft's "Azure built-in roles"; here are those actions on data that services ask for.
"""

from fnmatch import fnmatchcase

import pytest

from shoal.deploy.azure import messages
from shoal.deploy.azure.resources import Grade, Identity, Right, Secret, Workload
from shoal.model import names
from tests.deploy.azure.samples import of_kind, scope_of, shops
from tests.deploy.samples import shop

SERVICES = tuple(service.name for service in shop().services)
ALLOWS = {
    "AcrPull": ("registry/pull",),
    "AcrPush": ("registry/pull", "registry/push"),
    "Azure Service Bus Data Sender": ("bus/send",),
    "Azure Service Bus Data Receiver": ("bus/receive",),
    "Azure Service Bus Data Owner": ("bus/*",),
    "Storage Blob Data Contributor": ("blob/read", "blob/write", "blob/delete"),
    "Storage Blob Delegator": ("blob/lend",),
    "Key Vault Secrets User": ("secret/read",),
    "Key Vault Crypto Service Encryption User": ("key/read", "key/wrap", "key/unwrap"),
    "Key Vault Administrator": ("secret/*", "key/*"),
    "Communication and Email Service Owner": ("mail/*",),
}
APPS, JOBS = "Microsoft.App/containerApps", "Microsoft.App/jobs"
EVERYWHERE = (
    *("bus/manage", "secret/write", "key/delete", "key/export", "registry/push"),
    *(f"{APPS}/write", f"{APPS}/listSecrets/action", f"{JOBS}/start/action"),
)
"""Nothing that any service does by itself."""


def may(identity: str, action: str, thing: str, environment: str = "production") -> bool:
    """Evaluate the roles of an identity as Azure does: nothing is allowed but what a role on that thing allows."""
    allows = ALLOWS | {name: one.actions for name, one in of_kind(shops(environment), Grade).items()}
    return any(
        str(right.scope).rpartition(":")[0] == thing and any(fnmatchcase(action, one) for one in allows[right.role])
        for right in of_kind(shops(environment), Right).values()
        if right.identity == identity
    )


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_publishes_and_hears_what_it_declared_and_nothing_else(name: str) -> None:
    plan = scope_of(shop()).plan
    broker = plan.service(name).broker
    own = {broker.stream} if broker and broker.stream else set()
    heard = {messages.named(one) for one in broker.consumers} if broker else set()
    if heard:
        own.add(names.dead_letter_stream("shop", name))
    for stream in plan.streams:
        assert may(name, "bus/send", f"topic/{stream.name}") == (stream.name in own)
        assert not may(name, "bus/receive", f"topic/{stream.name}")
    for one in (messages.named(c) for s in plan.services if s.broker for c in s.broker.consumers):
        assert may(name, "bus/receive", f"subscription/{one}") == (one in heard)
    assert not may(name, "bus/send", f"topic/{messages.REGISTRY}")
    assert not may(name, "bus/send", "bus/main")
    registry = f"subscription/{messages.REGISTRY}/{messages.LETTERS}"
    assert may(name, "bus/receive", registry) == (broker is not None)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_keeps_its_own_and_sees_nobody_elses(name: str) -> None:
    scope = scope_of(shop())
    used = set(scope.uses(scope.plan.service(name)).values())
    personal = bool(shop().service(name).personal)
    for other in SERVICES:
        own = other == name
        assert may(name, "blob/write", f"container/{other}") == (own and "blob" in used)
        assert may(name, "blob/lend", f"account/{other}") == (own and "blob" in used)
        assert not may(name, "blob/read", f"account/{other}")
        assert may(name, "key/wrap", f"key/personal-{other}") == (own and personal)
        for thing in (
            f"container/{other}",
            f"key/personal-{other}",
            f"workload/{other}",
            "vault/main",
            "registry/main",
        ):
            assert not any(may(name, action, thing) for action in EVERYWHERE)


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_are_read_by_who_is_told_them(name: str) -> None:
    workload = of_kind(shops(), Workload)[name]
    told = {*workload.secrets.values(), *workload.files.values()}
    for secret in of_kind(shops(), Secret):
        assert may(name, "secret/read", f"secret/{secret}") == (secret in told)
    assert all(secret.partition("/")[0] in (name, "") for secret in told)


def test_the_operator_declares_streams_and_reads_no_secret() -> None:
    assert may("operator", "bus/manage", "bus/main")
    assert not may("operator", "secret/read", "secret/orders/store-url")


def test_pipelines_deliver_and_read_no_secret() -> None:
    assert may("delivery", "registry/push", "registry/main")
    for name in SERVICES:
        assert may("delivery", f"{APPS}/read", f"workload/{name}")
        assert may("delivery", f"{APPS}/write", f"workload/{name}")
        assert may("delivery", "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", f"identity/{name}")
        for refused in ("delete", "listSecrets/action", "authconfigs/write", "getAuthToken/action", "exec/action"):
            assert not may("delivery", f"{APPS}/{refused}", f"workload/{name}")
    assert may("delivery", "Microsoft.App/managedEnvironments/join/action", "place/main")
    assert not may("delivery", "Microsoft.App/managedEnvironments/write", "place/main")
    assert may("delivery", f"{JOBS}/start/action", "job/operator")
    assert not may("delivery", f"{JOBS}/write", "job/operator")
    assert not may("delivery", f"{JOBS}/listSecrets/action", "job/operator")
    assert not any(may("delivery", "secret/read", f"secret/{secret}") for secret in of_kind(shops(), Secret))
    assert not any("*" in action for one in of_kind(shops(), Grade).values() for action in one.actions)
    assert of_kind(shops(), Identity)["delivery"].repository == "example/shop"


def test_nobody_has_a_right_on_everything_but_who_applies_and_operates() -> None:
    for right in of_kind(shops(), Right).values():
        if right.scope.kind in ("vault", "bus"):
            assert right.identity in ("", "operator")
        assert right.scope.kind != "group"


def test_in_a_cluster_services_are_their_accounts_and_one_reader_has_the_secrets() -> None:
    accounts = {one.name: one.account for one in of_kind(shops("cluster"), Identity).values() if one.account}
    assert accounts["orders"] == "shop-cluster:orders"
    assert may("secrets-reader", "secret/read", "vault/main", "cluster")
    assert may("orders", "bus/send", "topic/SHOP_ORDERS", "cluster")
    assert not may("orders", "registry/pull", "registry/main", "cluster")
