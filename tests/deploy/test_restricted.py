"""Pods keep to the restricted profile of Pod Security Standards and to what reviewers ask, each rule by itself."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any

import pytest

from shoal.deploy.kubernetes.settings import Environment
from tests.deploy.samples import CAFE, Document, objects, of_kind, pods, shop, written

Rule = Callable[[Document], bool]


def containers(spec: Document) -> list[Document]:
    return [*spec["containers"], *spec.get("initContainers", ())]


def each(check: Callable[[Document], bool]) -> Rule:
    return lambda spec: all(check(container) for container in containers(spec))


VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
GUARDS = {"seLinuxOptions", "appArmorProfile", "windowsOptions"}
OVERRULED = {"runAsNonRoot", "runAsUser", "runAsGroup", "seccompProfile"}
ASKED = ("startupProbe", "readinessProbe", "livenessProbe", "lifecycle")

RULES: dict[str, Rule] = {
    "runs as somebody who is not root": lambda spec: (
        spec["securityContext"].get("runAsNonRoot") is True and spec["securityContext"].get("runAsUser", 0) > 0
    ),
    "calls of the kernel are filtered": lambda spec: (
        spec["securityContext"].get("seccompProfile") == {"type": "RuntimeDefault"}
    ),
    "no token of the cluster": lambda spec: spec.get("automountServiceAccountToken") is False,
    "nothing of the node": lambda spec: (
        not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        and not [v for v in spec.get("volumes", ()) if "hostPath" in v]
    ),
    "image cannot be written": each(lambda c: c["securityContext"].get("readOnlyRootFilesystem") is True),
    "no more rights": each(lambda c: c["securityContext"].get("allowPrivilegeEscalation") is False),
    "no capability": each(lambda c: c["securityContext"].get("capabilities") == {"drop": ["ALL"]}),
    "not privileged": each(lambda c: not c["securityContext"].get("privileged", False)),
    "promised CPU and memory": each(lambda c: {"cpu", "memory"} <= c["resources"]["requests"].keys()),
    "bounded memory": each(lambda c: "memory" in c["resources"]["limits"]),
    "no port below 1024": each(
        lambda c: all(p["containerPort"] >= 1024 and "hostPort" not in p for p in c.get("ports", ()))
    ),
    "volumes that are nobody else's": lambda spec: all(VOLUMES & volume.keys() for volume in spec.get("volumes", ())),
    "no setting of the kernel": lambda spec: not spec["securityContext"].get("sysctls"),
    "the kernel's own guards": lambda spec: (
        not GUARDS & spec["securityContext"].keys()
        and all(not GUARDS & c["securityContext"].keys() for c in containers(spec))
    ),
    "a masked /proc": each(lambda c: c["securityContext"].get("procMount", "Default") == "Default"),
    "no container overrules its pod": each(lambda c: not OVERRULED & c["securityContext"].keys()),
    "nobody else is asked how it is": each(lambda c: "'host':" not in repr([c.get(name) for name in ASKED])),
}
BROKEN: dict[str, Callable[[Document], Any]] = {
    "runs as somebody who is not root": lambda spec: spec["securityContext"].update(runAsUser=0),
    "calls of the kernel are filtered": lambda spec: spec["securityContext"].pop("seccompProfile"),
    "no token of the cluster": lambda spec: spec.pop("automountServiceAccountToken"),
    "nothing of the node": lambda spec: spec.update(hostNetwork=True),
    "image cannot be written": lambda spec: spec["containers"][0]["securityContext"].pop("readOnlyRootFilesystem"),
    "no more rights": lambda spec: spec["containers"][0]["securityContext"].update(allowPrivilegeEscalation=True),
    "no capability": lambda spec: spec["containers"][0]["securityContext"].update(capabilities={"add": ["NET_ADMIN"]}),
    "not privileged": lambda spec: spec["containers"][0]["securityContext"].update(privileged=True),
    "promised CPU and memory": lambda spec: spec["containers"][0]["resources"]["requests"].pop("cpu"),
    "bounded memory": lambda spec: (
        spec["containers"][0]["resources"].pop("limits") and spec["containers"][0]["resources"].update(limits={})
    ),
    "no port below 1024": lambda spec: spec["containers"][0].update(ports=[{"containerPort": 80}]),
    "volumes that are nobody else's": lambda spec: spec["volumes"].append({"name": "nfs", "nfs": {"server": "a"}}),
    "no setting of the kernel": lambda spec: spec["securityContext"].update(sysctls=[{"name": "a", "value": "1"}]),
    "the kernel's own guards": lambda spec: spec["securityContext"].update(appArmorProfile={"type": "Unconfined"}),
    "a masked /proc": lambda spec: spec["containers"][0]["securityContext"].update(procMount="Unmasked"),
    "no container overrules its pod": lambda spec: spec["containers"][0]["securityContext"].update(runAsUser=10001),
    "nobody else is asked how it is": lambda spec: spec["containers"][0].update(
        readinessProbe={"httpGet": {"host": "169.254.169.254"}}
    ),
}


@cache
def specs() -> list[tuple[str, Document]]:
    found = pods(objects(written(shop(), Environment(name="dev"))))
    return [(name, template["spec"]) for name, template in found]


@pytest.mark.parametrize("rule", RULES)
def test_every_pod_keeps_to_it(rule: str) -> None:
    assert len(specs()) > 20
    assert [name for name, spec in specs() if not RULES[rule](spec)] == []


@pytest.mark.parametrize("rule", RULES)
def test_who_does_not_keep_to_it_is_seen(rule: str) -> None:
    _, spec = specs()[0]
    broken = deepcopy(spec)
    BROKEN[rule](broken)
    assert [name for name, judge in RULES.items() if not judge(broken)] == [rule]


def test_every_namespace_enforces_the_profile() -> None:
    texts = written(CAFE)
    for environment in ("dev", "staging", "production"):
        assert "pod-security.kubernetes.io/enforce: restricted" in texts[f"overlays/{environment}/namespace.yaml"]


def test_every_service_has_a_budget_and_nobody_is_reached_unless_declared() -> None:
    documents = objects(written(CAFE))
    assert {d["metadata"]["name"] for d in of_kind(documents, "PodDisruptionBudget")} >= {"till", "menu", "nats"}
    (deny,) = (p for p in of_kind(documents, "NetworkPolicy") if p["metadata"]["name"] == "default-deny")
    assert deny["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_names_are_asked_of_whoever_serves_them() -> None:
    (names,) = (p for p in of_kind(objects(written(CAFE)), "NetworkPolicy") if p["metadata"]["name"] == "names")
    opened = {
        (repr(sorted(peer.items())), port["protocol"], port["port"])
        for rule in names["spec"]["egress"]
        for peer in rule["to"]
        for port in rule["ports"]
    }
    for words, number in (("kube-dns", 53), ("node-local-dns", 53), ("169.254.20.10/32", 53), ("openshift-dns", 5353)):
        assert {protocol for peer, protocol, port in opened if words in peer and port == number} == {"UDP", "TCP"}
    assert "169.254.20.10/32" not in "".join(peer for peer, _, port in opened if port != 53)


def test_a_node_may_ask_every_pod_for_its_health_where_it_comes_from_an_address_of_its_own() -> None:
    documents = objects(written(CAFE, Environment(name="dev", mesh="istio-ambient")))
    assert any(repr(p).find("containerPort': 8222") > 0 for p in of_kind(documents, "StatefulSet"))
    (probes,) = (p["spec"] for p in of_kind(documents, "NetworkPolicy") if p["metadata"]["name"] == "probes")
    assert probes["podSelector"] == {}
    assert probes["ingress"] == [{"from": [{"ipBlock": {"cidr": "169.254.7.127/32"}}]}]


def test_a_balancer_may_ask_a_gateway_of_istio_whether_it_is_ready() -> None:
    for mesh, asked in (("istio", True), ("istio-ambient", True), ("linkerd", False)):
        documents = objects(written(CAFE, Environment(name="dev", mesh=mesh)))  # type: ignore[arg-type]
        (edge,) = (p["spec"] for p in of_kind(documents, "NetworkPolicy") if p["metadata"]["name"] == "edge")
        assert (15021 in [port["port"] for port in edge["ingress"][0]["ports"]]) == asked


def test_no_value_of_a_secret_is_in_any_file() -> None:
    documents = objects(written(shop()))
    assert not of_kind(documents, "Secret")
    assert "password" in repr(of_kind(documents, "ExternalSecret"))
    for template in (t for _, t in pods(documents)):
        for container in containers(template["spec"]):
            assert not [e for e in container.get("env", ()) if "PASSWORD" in e["name"] and "value" in e]


def test_a_pod_is_killed_only_after_everything_has_had_its_time() -> None:
    texts = written(shop())
    for service in ("orders", "payments"):
        told = dict(line.partition("=")[::2] for line in texts[f"base/{service}/settings.env"].splitlines())
        (spec,) = (s for name, s in specs() if name == f"Deployment {service}")
        leaving = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert spec["terminationGracePeriodSeconds"] > leaving + 2 * int(told["SHOAL_DRAIN"])
    assert "SHOAL_DRAIN=15\n" in texts["base/payments/settings.env"]  # its longest request


def test_replicas_are_bounded_by_what_an_environment_says() -> None:
    texts = written(CAFE, Environment(name="p", least=3, most=7))
    assert "minReplicas: 3\n  maxReplicas: 7" in texts["overlays/p/sizes.yaml"]
    assert "minReplicaCount: 3\n  maxReplicaCount: 7" in texts["overlays/p/sizes.yaml"]


def test_an_image_is_named_by_its_digest_where_that_is_said() -> None:
    digest = f"sha256:{64 * 'a'}"
    texts = written(CAFE, Environment(name="p", version="1.2.3", digests={"till": digest}))
    assert f"newName: registry.example/cafe/till\n    digest: {digest}\n" in texts["overlays/p/kustomization.yaml"]
    assert 'newName: registry.example/cafe/menu\n    newTag: "1.2.3"\n' in texts["overlays/p/kustomization.yaml"]
    again = written(CAFE, Environment(name="p", version="1.2.3", digests={"till": f"sha256:{64 * 'b'}"}))
    jobs = [
        {d["metadata"]["name"] for d in of_kind(objects(one), "Job") if "till" in d["metadata"]["name"]}
        for one in (texts, again)
    ]
    assert jobs[0].isdisjoint(jobs[1])
