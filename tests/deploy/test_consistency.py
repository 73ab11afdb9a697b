"""Documents agree with each other: who refers to something finds it, and who selects something selects it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.deploy.kubernetes.settings import Environment, Mesh, Storage
from shoal.model.system import System
from tests.deploy.samples import CAFE, MESHES, Document, objects, of_kind, pods, shop, written
from tests.model.strategies import systems

OPERATORS = {
    ("Secret", "postgres-ca"),
    ("Secret", "edge-certificate"),
    ("Secret", "backup"),
    ("Secret", "secrets-reader"),
}
"""What operators, and people, make in the cluster."""


def names(documents: list[Document], *kinds: str) -> set[str]:
    return {d["metadata"]["name"] for d in of_kind(documents, *kinds)}


def selected(labels: Document, documents: list[Document]) -> bool:
    """Tell whether labels select some pod, of ours or of an operator that is asked for it."""
    known = [template["metadata"]["labels"] for _, template in pods(documents)]
    known += [{"gateway.networking.k8s.io/gateway-name": g["metadata"]["name"]} for g in of_kind(documents, "Gateway")]
    known += [{"cnpg.io/cluster": c["metadata"]["name"]} for c in of_kind(documents, "Cluster")]
    return any(labels.items() <= one.items() for one in known)


def errors(texts: dict[str, str]) -> list[str]:
    documents = objects(texts)
    kustomizations = "\n".join(text for path, text in texts.items() if path.endswith("kustomization.yaml"))
    configs = set(re.findall(r"^  - name: (\S+)$", kustomizations, re.MULTILINE))
    found = (
        _workloads(documents, configs)
        + _selectors(documents)
        + _network(documents)
        + _routes(documents)
        + _mesh(documents)
    )
    twice = [(d["kind"], d["apiVersion"], d["metadata"]["name"]) for d in documents]
    return found + [f"twice: {one}" for one in set(twice) if twice.count(one) > 1]


def _workloads(documents: list[Document], configs: set[str]) -> list[str]:
    made = {e["spec"]["target"]["name"] for e in of_kind(documents, "ExternalSecret")} | {
        n for k, n in OPERATORS if k == "Secret"
    }
    accounts, priorities = names(documents, "ServiceAccount"), names(documents, "PriorityClass")
    found = []
    for name, template in pods(documents):
        spec = template["spec"]
        found += [f"{name}: no account"] * (spec["serviceAccountName"] not in accounts)
        found += [f"{name}: no priority"] * (spec.get("priorityClassName", next(iter(priorities))) not in priorities)
        text = repr(spec)
        for secret in re.findall(
            r"'secretRef': \{'name': '([^']+)'\}|'secretName': '([^']+)'|'secretKeyRef': \{'name': '([^']+)'", text
        ):
            found += [f"{name}: no Secret {''.join(secret)}"] * ("".join(secret) not in made)
        for config in re.findall(r"'configMapRef': \{'name': '([^']+)'|'configMap': \{'name': '([^']+)'", text):
            found += [f"{name}: no ConfigMap {''.join(config)}"] * ("".join(config) not in configs)
        volumes = {v["name"] for v in spec.get("volumes", ())}
        every = [*spec["containers"], *spec.get("initContainers", ())]
        mounts = {m["name"] for c in every for m in c.get("volumeMounts", ())}
        found += [f"{name}: volumes {volumes ^ mounts}"] * (volumes != mounts)
    return found


def _selectors(documents: list[Document]) -> list[str]:
    found = []
    for one in documents:
        kind, name, spec = one["kind"], one["metadata"]["name"], one.get("spec", {})
        if kind in ("Deployment", "StatefulSet"):
            found += [f"{kind} {name} misses its pods"] * (
                not spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()
            )
        if kind == "Service":
            ports = _ports(spec["selector"], documents)
            found += [f"Service {name} has no pods"] * (not selected(spec["selector"], documents))
            found += [
                f"Service {name}: no port {p['targetPort']}"
                for p in spec["ports"]
                if (p["targetPort"], p["port"]) not in ports
            ]
        if kind == "PodDisruptionBudget":
            found += [f"PDB {name} protects nothing"] * (not selected(spec["selector"]["matchLabels"], documents))
        if kind in ("HorizontalPodAutoscaler", "ScaledObject"):
            found += [f"{kind} {name} scales nothing"] * (
                spec["scaleTargetRef"]["name"] not in names(documents, "Deployment")
            )
    scaled = [d["metadata"]["name"] for d in of_kind(documents, "HorizontalPodAutoscaler", "ScaledObject")]
    return found + [
        f"{name} is scaled {scaled.count(name)} times"
        for name in names(documents, "Deployment")
        if scaled.count(name) != 1
    ]


def _ports(labels: Document, documents: list[Document]) -> set[tuple[str, int]]:
    return {
        (port["name"], port["containerPort"])
        for _, template in pods(documents)
        if labels.items() <= template["metadata"]["labels"].items()
        for container in template["spec"]["containers"]
        for port in container.get("ports", ())
    }


def _network(documents: list[Document]) -> list[str]:
    found = []
    for policy in of_kind(documents, "NetworkPolicy"):
        own = policy["spec"]["podSelector"].get("matchLabels", {})
        rules = (*policy["spec"].get("ingress", ()), *policy["spec"].get("egress", ()))
        peers = [peer for rule in rules for peer in (*rule.get("from", ()), *rule.get("to", ()))]
        near = [peer["podSelector"]["matchLabels"] for peer in peers if peer.keys() == {"podSelector"}]
        asked = [own, *near] if own else near
        name = policy["metadata"]["name"]
        found += [f"NetworkPolicy {name}: {labels}" for labels in asked if not selected(labels, documents)]
    return found


def _routes(documents: list[Document]) -> list[str]:
    services = {s["metadata"]["name"]: {p["port"] for p in s["spec"]["ports"]} for s in of_kind(documents, "Service")}
    parents = names(documents, "Gateway", "Server", "Service")
    found = []
    for route in of_kind(documents, "HTTPRoute"):
        name = route["metadata"]["name"]
        found += [f"HTTPRoute {name} has no parent" for p in route["spec"]["parentRefs"] if p["name"] not in parents]
        for backend in (b for rule in route["spec"]["rules"] for b in rule.get("backendRefs", ())):
            found += [f"HTTPRoute {name} leads nowhere"] * (backend["port"] not in services.get(backend["name"], ()))
    for rule in of_kind(documents, "DestinationRule", "VirtualService"):
        hosts = [rule["spec"]["host"]] if "host" in rule["spec"] else rule["spec"]["hosts"]
        found += [
            f"{rule['kind']} {rule['metadata']['name']} is about nobody" for host in hosts if host not in services
        ]
    return found


def _mesh(documents: list[Document]) -> list[str]:
    accounts = names(documents, "ServiceAccount") | {
        f"{g['metadata']['name']}-istio" for g in of_kind(documents, "Gateway")
    }
    accounts |= {g["metadata"]["name"] for g in of_kind(documents, "Gateway")}
    said = re.findall(r"'cluster\.local/ns/[^/]+/sa/([^']+)'", repr(of_kind(documents, "AuthorizationPolicy")))
    said += [r["name"] for a in of_kind(documents, "MeshTLSAuthentication") for r in a["spec"]["identityRefs"]]
    found = [f"no account {name}" for name in said if name not in accounts]
    for policy in of_kind(documents, "AuthorizationPolicy", "PeerAuthentication"):
        labels = policy["spec"].get("selector", {}).get("matchLabels")
        found += [f"{policy['metadata']['name']} is about no pod"] * (
            labels is not None and not selected(labels, documents)
        )
        targets = [t["name"] for t in policy["spec"].get("targetRefs", ())]
        found += [
            f"{policy['metadata']['name']}: no {t}" for t in targets if t not in names(documents, "Service", "Gateway")
        ]
    return found


@pytest.mark.parametrize("mesh", MESHES)
@pytest.mark.parametrize("system", [CAFE, None], ids=["cafe", "shop"])
def test_documents_agree(mesh: Mesh, system: System | None) -> None:
    environment = Environment(name="dev", mesh=mesh, storage=Storage(backup="s3://b/c"))
    assert not errors(written(system or shop(), environment))


@given(systems(), st.sampled_from(MESHES))
@settings(max_examples=25, deadline=None)
def test_documents_of_any_system_agree(system: System, mesh: Mesh) -> None:
    assert not errors(written(system, Environment(name="dev", mesh=mesh)))


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        ("base/till/service.yaml", "targetPort: http", "targetPort: web", "no port web"),
        ("base/till/service.yaml", "name: till", "name: tills", "leads nowhere"),
        ("base/till/deployment.yaml", "serviceAccountName: till", "serviceAccountName: tills", "no account"),
        ("base/till/deployment.yaml", "name: till-settings", "name: tills", "no ConfigMap tills"),
        ("base/till/disruption.yaml", "app.kubernetes.io/name: till", "app.kubernetes.io/name: x", "protects nothing"),
        ("base/till/network.yaml", "app.kubernetes.io/name: menu", "app.kubernetes.io/name: x", "NetworkPolicy till"),
        ("base/menu/access.yaml", "sa/edge-istio", "sa/edges", "no account edges"),
        (
            "base/menu/scaledobject.yaml",
            "kind: Deployment\n    name: menu",
            "kind: Deployment\n    name: x",
            "scales nothing",
        ),
    ],
)
def test_a_mistake_is_seen(path: str, old: str, new: str, said: str) -> None:
    texts = written(CAFE)
    assert old in texts[path]
    texts[path] = texts[path].replace(old, new)
    assert said in "\n".join(errors(texts))
