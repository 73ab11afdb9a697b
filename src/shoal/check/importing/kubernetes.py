"""Objects of Kubernetes → facts: what runs, by which names, and what of it can be reached from outside."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from shoal.check.importing import images
from shoal.check.importing.doors import doors
from shoal.check.importing.facts import Facts, Kept, Role, Said, Unit
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
"""Kinds that say who may reach whom; Calico's has the first name, too."""

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
        guarded=frozenset(space(node) for node in cluster.of(*_POLICIES)),
    )


def _objects(root: Node) -> Iterator[Node]:
    """List the objects of a document; a ``List`` is many."""
    if root.at("kind").text.endswith("List") and root.at("items"):
        for item in root.at("items"):
            yield from _objects(item)
    else:
        yield root


@dataclass(frozen=True, eq=False)
class Cluster:
    """All objects that are given."""

    objects: Sequence[Node]
    _taken: set[tuple[str, str, str]] = field(default_factory=set)

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
        for node in self.of(*RUNS):
            kind, name, namespace = node.at("kind").text, _name(node), space(node)
            pod = node.at(*RUNS[kind])
            found = tuple(containers(pod.at("spec"), namespace, self.values, limited=namespace in self._bounded))
            images_ = [container.image for container in found if container.image]
            if name and images_ and (kind, namespace, name) not in self._taken:
                self._taken.add((kind, namespace, name))
                selecting = self._selecting(namespace, pod)
                by = [_name(service) for service in selecting]
                replicas = self._replicas(node) if kind in REPLICATED else None
                yield Unit(
                    name=name,
                    form="kubernetes",
                    where=node.at("kind").where,
                    service=self._service(name, pod, selecting),
                    role=_role([image.text for image in images_], name),
                    kind=kind,
                    scope=namespace,
                    names=frozenset(by or [name]),
                    containers=found,
                    replicas=(replicas.number if replicas else 1) if replicas is not None else None,
                    replicas_at=replicas.where if replicas is not None else None,
                    doors=tuple(door for one in by for door in self.doors.get((namespace, one), ())),
                    asked=bool(selecting),
                )

    def kept(self) -> Iterator[Kept]:
        """List what stands in secrets and maps of settings."""
        for node in self.of("Secret", "ConfigMap"):
            for part in ("data", "stringData"):
                said = node.at(part)
                for key, value in said.fields.items():
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

    @cached_property
    def _scalers(self) -> tuple[Node, ...]:
        return tuple(self.of("HorizontalPodAutoscaler", "ScaledObject"))

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

    def _service(self, name: str, pod: Node, selecting: Sequence[Node]) -> str:
        """Say which service it is: the ``Service`` that is called like its label, else itself."""
        labels = pod.at("metadata", "labels")
        app = next((text for label in _APP if (text := labels.at(label).text)), "")
        return app if app in {_name(service) for service in selecting} else name

    def _replicas(self, node: Node) -> Node:
        """Say how many replicas there are at rest: what scales them comes before what they say themselves."""
        for scaler in self._scalers:
            target = scaler.at("spec", "scaleTargetRef")
            if target.at("name").text == _name(node) and space(scaler) == space(node):
                return scaler.at("spec", "minReplicas") or scaler.at("spec", "minReplicaCount")
        return node.at("spec", "replicas")


def space(node: Node) -> str:
    """Return the namespace of an object; empty where it says none."""
    return node.at("metadata", "namespace").text


def _name(node: Node) -> str:
    return node.at("metadata", "name").text


def _held(node: Node) -> Iterator[tuple[str, Said]]:
    """List the values of a map of settings or a secret, readable."""
    coded = node.at("kind").text == "Secret"
    for part in ("data", "stringData"):
        for key, value in node.at(part).fields.items():
            yield key, Said(_readable(value.text) if coded and part == "data" else value.text, value.where)


def _readable(text: str) -> str:
    """Read what a secret holds; nothing, where that is no text in Base64."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return ""


def _selects(service: Node, labels: Mapping[str, Node]) -> bool:
    wanted = service.at("spec", "selector").fields
    return all(name in labels and labels[name].text == value.text for name, value in wanted.items())


def _role(found: Sequence[str], name: str) -> Role:
    """Say what a pod is: a service, as soon as one of its containers is; else what its first one is."""
    roles = [images.role(image, name) for image in found]
    return "service" if "service" in roles else roles[0]
