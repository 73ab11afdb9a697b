"""Objects of Kubernetes → facts: what runs, by which names, and what of it can be reached from outside."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from shoal.check.importing import images
from shoal.check.importing.doors import doors
from shoal.check.importing.facts import Container, Facts, Kept, Role, Said, Unit
from shoal.check.importing.hosts import namespace
from shoal.check.importing.pods import Values, containers
from shoal.check.importing.tree import Document, Node

RUNS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Rollout"), ("spec", "template")),
    **dict.fromkeys(("Job", "DeploymentConfig", "ReplicationController"), ("spec", "template")),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}
"""Kind of what runs → where its pods are described."""

REPLICATED = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "Rollout", "DeploymentConfig"})
"""Kinds that have a number of replicas; one, where nobody says (`kubernetes.io`, "Deployments")."""

_POLICIES = ("NetworkPolicy", "CiliumNetworkPolicy", "AuthorizationPolicy")
"""Kinds that say who may reach whom in a namespace; Calico's has the first name, too."""

_WIDE = ("CiliumClusterwideNetworkPolicy", "GlobalNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy")
"""Kinds that say it for all namespaces: of Cilium, Calico, and Kubernetes (Network Policy API)."""

_MESH = "istio-system"
"""Namespace whose policies Istio takes for all namespaces (its "root namespace")."""

_APP = ("app.kubernetes.io/name", "app", "k8s-app", "name")
"""Labels that say to which service a pod belongs, in this order."""


def is_one(root: Node) -> bool:
    """Tell whether a document is an object of Kubernetes."""
    return bool(root.at("apiVersion").text and root.at("kind").text)


def read(documents: Sequence[Document]) -> Facts:
    """Read what objects of Kubernetes tell."""
    cluster = Cluster([node for document in documents for node in _objects(document.root)])
    return Facts(
        forms=frozenset({"kubernetes"}) if documents else frozenset(),
        units=tuple(cluster.units()),
        kept=tuple(cluster.kept()),
        guarded=cluster.guarded(),
    )


def _objects(root: Node) -> Iterator[Node]:
    """List the objects of a document; a ``List`` is many, also of lists."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        items = node.at("items").items if node.at("kind").text.endswith("List") else ()
        waiting += reversed(items)
        if not items:
            yield node


@dataclass(frozen=True, eq=False)
class Cluster:
    """All objects that are given."""

    objects: Sequence[Node]

    def of(self, *kinds: str) -> Iterator[Node]:
        """List the objects of some kinds."""
        return (node for node in self.objects if node.at("kind").text in kinds)

    @cached_property
    def services(self) -> tuple[Node, ...]:
        """Every ``Service`` that selects pods."""
        return tuple(node for node in self.of("Service") if node.at("spec", "selector").fields)

    @cached_property
    def doors(self) -> Mapping[tuple[str, str], tuple[Said, ...]]:
        """Namespace and name of a ``Service`` → how it can be reached from outside."""
        return doors(self.objects)

    def units(self) -> Iterator[Unit]:
        """List what runs, each once; what only changes something elsewhere (a patch) names no image."""
        seen: set[tuple[str, str, str]] = set()
        for node in self.of(*RUNS):
            pod = node.at(*RUNS[node.at("kind").text])
            found = self._containers(node, pod.at("spec", "containers"))
            key = (node.at("kind").text, space(node), _name(node))
            if _name(node) and key not in seen and any(container.image for container in found):
                seen.add(key)
                yield self._unit(node, pod, found)

    def _containers(self, node: Node, nodes: Node) -> tuple[Container, ...]:
        return tuple(containers(nodes, space(node), self.values, limited=space(node) in self._bounded))

    def _unit(self, node: Node, pod: Node, found: tuple[Container, ...]) -> Unit:
        kind, name, namespace = node.at("kind").text, _name(node), space(node)
        selecting = [_name(service) for service in self._selecting(namespace, pod)]
        replicas = self._replicas(node) if kind in REPLICATED else None
        return Unit(
            name=name,
            form="kubernetes",
            where=node.at("kind").where,
            service=_service(name, pod, selecting),
            role=_role([container.image.text for container in found if container.image], name),
            kind=kind,
            scope=namespace,
            names=frozenset(selecting or [name]),
            containers=found,
            preparing=self._containers(node, pod.at("spec", "initContainers")),
            replicas=_count(replicas),
            replicas_at=replicas.where if replicas is not None else None,
            doors=tuple(door for one in selecting for door in self.doors.get((namespace, one), ())),
            asked=bool(selecting),
        )

    def kept(self) -> Iterator[Kept]:
        """List what stands in secrets and maps of settings."""
        for node in self.of("Secret", "ConfigMap"):
            for key, value in _held(node):
                yield Kept(
                    kind=node.at("kind").text,
                    name=_name(node),
                    key=key,
                    value=value.text,
                    where=value.where,
                    object=node.at("kind").where,
                    sealed=bool(node.at("sops")),
                )

    @cached_property
    def values(self) -> Values:
        """What maps of settings and secrets hold."""
        return {
            (node.at("kind").text, space(node), _name(node)): dict(_held(node))
            for node in self.of("ConfigMap", "Secret")
        }

    def guarded(self) -> frozenset[str]:
        """Return the namespaces in which a policy says who may reach whom."""
        meshed = any(space(node) == _MESH for node in self.of("AuthorizationPolicy"))
        every = meshed or any(True for _ in self.of(*_WIDE))
        return frozenset(space(node) for node in (self.objects if every else self.of(*_POLICIES)))

    @cached_property
    def _scalers(self) -> Mapping[tuple[str, str], Node]:
        """Namespace and name of what is scaled → what scales it."""
        scalers = self.of("HorizontalPodAutoscaler", "ScaledObject")
        return {(space(node), node.at("spec", "scaleTargetRef", "name").text): node for node in scalers}

    @cached_property
    def _bounded(self) -> frozenset[str]:
        """Namespaces whose containers have limits by default."""
        return frozenset(space(node) for node in self.of("LimitRange"))

    @cached_property
    def _selectors(self) -> Mapping[tuple[str, str, str], list[Node]]:
        """Namespace, name and value of the first label that is asked for → what asks for it."""
        found: dict[tuple[str, str, str], list[Node]] = {}
        for service in self.services:
            name, value = next(iter(service.at("spec", "selector").fields.items()))
            found.setdefault((space(service), name, value.text), []).append(service)
        return found

    def _selecting(self, namespace: str, pod: Node) -> list[Node]:
        labels = pod.at("metadata", "labels").fields
        near = [s for name, value in labels.items() for s in self._selectors.get((namespace, name, value.text), ())]
        return [service for service in near if _selects(service, labels)]

    def _replicas(self, node: Node) -> Node:
        """Say how many replicas there are at rest: what scales them comes before what they say themselves."""
        scaler = self._scalers.get((space(node), _name(node)))
        if scaler is None:
            return node.at("spec", "replicas")
        return scaler.at("spec", "minReplicas") or scaler.at("spec", "minReplicaCount")


def _count(said: Node | None) -> int | None:
    """Count replicas: one, where nobody says; None for what has no number of them, or one that no file tells."""
    if said is None:
        return None
    return said.number if said else 1


def space(node: Node) -> str:
    """Return the namespace of an object; empty for the usual one."""
    return namespace(node.at("metadata", "namespace").text)


def _name(node: Node) -> str:
    return node.at("metadata", "name").text


def _service(name: str, pod: Node, selecting: Sequence[str]) -> str:
    """Say which service something is: the ``Service`` that is called like its label, else itself."""
    labels = pod.at("metadata", "labels")
    app = next((text for label in _APP if (text := labels.at(label).text)), "")
    return app if app in selecting else name


def _held(node: Node) -> Iterator[tuple[str, Said]]:
    """List the values of a map of settings or a secret, readable."""
    coded = node.at("kind").text == "Secret"
    for part in ("data", "stringData"):
        for key, value in node.at(part).fields.items():
            yield key, Said(_readable(value.text) if coded and part == "data" else value.text, value.where)


def _readable(text: str) -> str:
    """Read what a secret holds; as it is, where that is no text in Base64."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return text


def _selects(service: Node, labels: Mapping[str, Node]) -> bool:
    wanted = service.at("spec", "selector").fields
    return all(name in labels and labels[name].text == value.text for name, value in wanted.items())


def _role(found: Sequence[str], name: str) -> Role:
    """Say what a pod is: a service, as soon as one of its containers is; else what its first one is."""
    roles = [images.role(image, name) for image in found]
    return "service" if "service" in roles else roles[0]
