"""What every written system keeps to as a whole, each rule by itself: budgets, networks, encryption, disks, rights."""

from collections.abc import Callable

import pytest

from shoal.deploy.kubernetes.settings import Environment, Storage
from tests.deploy.samples import objects, of_kind, shop, written

REGISTRY = "registry.shop.example/private"
PRODUCTION = Environment(name="production", registry=REGISTRY, storage=Storage(kind="encrypted", backup="s3://b/shop"))
Texts = dict[str, str]
Rule = Callable[[Texts], list[str]]


def budgets(texts: Texts) -> list[str]:
    documents = objects(texts)
    kept = [budget["spec"]["selector"]["matchLabels"] for budget in of_kind(documents, "PodDisruptionBudget")]
    return [
        one["metadata"]["name"]
        for one in of_kind(documents, "Deployment", "StatefulSet")
        if not any(labels.items() <= one["spec"]["template"]["metadata"]["labels"].items() for labels in kept)
    ]


def networks(texts: Texts) -> list[str]:
    policies = of_kind(objects(texts), "NetworkPolicy")
    closed = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    open_wide = [
        policy["metadata"]["name"]
        for policy in policies
        for rule in (*policy["spec"].get("ingress", ()), *policy["spec"].get("egress", ()))
        if not rule or ({} in rule.get("from", ()) or {} in rule.get("to", ())) or not rule.get("ports")
    ]
    return open_wide + ["nothing is closed"] * (closed not in [policy["spec"] for policy in policies])


def encryption(texts: Texts) -> list[str]:
    """Every pod takes mutual TLS alone; but for ports whose reason stands beside them."""
    peers = of_kind(objects(texts), "PeerAuthentication")
    whole = [peer for peer in peers if "selector" not in peer["spec"]]
    weak = [f"{p['metadata']['name']} {p['spec']['mtls']}" for p in peers if p["spec"]["mtls"] != {"mode": "STRICT"}]
    ports = {port for peer in peers for port in peer["spec"].get("portLevelMtls", {})}
    return weak + ["nobody must"] * (not whole) + [f"port {port}" for port in ports - {"8222"}]


def disks(texts: Texts) -> list[str]:
    documents, found = objects(texts), []
    for path, text in texts.items():
        if (
            path.endswith("-disk.yaml")
            and "storageClassName: encrypted" not in text
            and "storageClass: encrypted" not in text
        ):
            found.append(path)
    claims = of_kind(documents, "PersistentVolumeClaim")
    return found + [c["metadata"]["name"] for c in claims if c["spec"].get("storageClassName") != "encrypted"]


def registries(texts: Texts) -> list[str]:
    lines = [
        line.split()[-1] for line in texts["overlays/production/kustomization.yaml"].splitlines() if "newName" in line
    ]
    own = {service.name for service in shop().services}
    return [name for name in lines if not name.startswith(REGISTRY)] + [
        name for name in own if f"{REGISTRY}/shop/{name}" not in lines
    ]


def rights(texts: Texts) -> list[str]:
    """Nobody may everything, and whoever is told what he may of the cluster is told it by name."""
    found = []
    for path, text in texts.items():
        if path.endswith(".yaml") and "rbac.authorization" in text and ("['*']" in text or '["*"]' in text):
            found.append(path)
    bound = of_kind(objects(texts), "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
    return found + [one["metadata"]["name"] for one in bound]


RULES: dict[str, Rule] = {
    "budgets": budgets,
    "networks": networks,
    "encryption": encryption,
    "disks": disks,
    "registries": registries,
    "rights": rights,
}
BROKEN: dict[str, tuple[str, str, str]] = {
    "budgets": ("base/orders/disruption.yaml", "app.kubernetes.io/name: orders", "app.kubernetes.io/name: order"),
    "networks": ("base/network/policies.yaml", "policyTypes: [Ingress, Egress]", "policyTypes: [Ingress]"),
    "encryption": ("base/mesh/encryption.yaml", "mode: STRICT", "mode: PERMISSIVE"),
    "disks": ("overlays/production/nats-disk.yaml", "storageClassName: encrypted", "storageClassName: cheap"),
    "registries": ("overlays/production/kustomization.yaml", f"{REGISTRY}/shop/orders", "docker.io/shop/orders"),
    "rights": (
        "base/orders/serviceaccount.yaml",
        "kind: ServiceAccount",
        "kind: ClusterRole",
    ),
}


@pytest.fixture(name="texts", scope="module")
def _texts() -> Texts:
    return written(shop(), PRODUCTION)


@pytest.mark.parametrize("rule", RULES)
def test_the_shop_keeps_to_it(rule: str, texts: Texts) -> None:
    assert RULES[rule](texts) == []


@pytest.mark.parametrize("rule", RULES)
def test_what_does_not_keep_to_it_is_seen(rule: str, texts: Texts) -> None:
    path, old, new = BROKEN[rule]
    assert old in texts[path]
    broken = {**texts, path: texts[path].replace(old, new)}
    assert RULES[rule](broken) != []
    assert [name for name, judge in RULES.items() if name != rule and judge(broken)] == []
