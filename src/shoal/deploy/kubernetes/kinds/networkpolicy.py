"""NetworkPolicies: who may open a connection to whom."""

from collections.abc import Iterable, Sequence

from shoal.deploy.kubernetes.naming import Component, labels
from shoal.deploy.yaml import Json


def policy(
    system: str,
    name: str,
    pods: Json,
    *,
    ingress: Sequence[object] | None = None,
    egress: Sequence[object] | None = None,
    component: Component = "service",
) -> Json:
    """Open what is listed for the pods selected; a direction that is given refuses everything else."""
    given = {"Ingress": ingress, "Egress": egress}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "labels": labels(system, name, component)},
        "spec": {
            "podSelector": {"matchLabels": pods} if pods else {},
            "policyTypes": [kind for kind, rules in given.items() if rules is not None],
            **{kind.lower(): list(rules) for kind, rules in given.items() if rules},
        },
    }  # fmt: skip


def rule(direction: str, peers: Iterable[Json], ports: Iterable[int]) -> Json:
    """Open ports towards (``to``) or for (``from``) some."""
    return {direction: list(peers), "ports": [{"protocol": "TCP", "port": port} for port in ports]}


def pods(match: Json) -> Json:
    """Mean pods of this namespace."""
    return {"podSelector": {"matchLabels": match}}


def elsewhere(namespace: str, match: Json | None = None) -> Json:
    """Mean pods of another namespace, by its name."""
    found: Json = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    return {**found, "podSelector": {"matchLabels": match}} if match else found


def network(cidr: str, but: Sequence[str] = ()) -> Json:
    """Mean addresses."""
    return {"ipBlock": {"cidr": cidr, **({"except": list(but)} if but else {})}}
