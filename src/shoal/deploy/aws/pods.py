"""What runs on the cluster: the manifests that `shoal deploy kubernetes` writes, and what Amazon needs on top. Pure.

Services find their engines by secrets, which External Secrets reads from Secrets Manager under the names that Terraform
gives them.
"""

import ipaddress
from collections.abc import Iterator

import msgspec

from shoal.deploy import yaml
from shoal.deploy.aws import addresses
from shoal.deploy.aws.eks import READER
from shoal.deploy.aws.naming import ROLE
from shoal.deploy.aws.rights import path
from shoal.deploy.aws.scope import Scope
from shoal.deploy.cloud.files import secret
from shoal.deploy.kubernetes import compile as kubernetes
from shoal.deploy.kubernetes import settings
from shoal.deploy.kubernetes.edge import EDGE
from shoal.deploy.kubernetes.kinds import networkpolicy as policies
from shoal.deploy.kubernetes.naming import APPLICATION, COMPONENT, labels
from shoal.deploy.kubernetes.scope import IN_CLUSTER
from shoal.deploy.kubernetes.scope import Scope as Cluster
from shoal.deploy.yaml import Json
from shoal.model.artifact import Artifact
from shoal.model.finding import Finding

FOLDER = "kubernetes"

AGENT = "169.254.170.23/32"
"""Where pods ask who they are (EKS user guide, "EKS Pod Identity")."""

_HEAD = "Written by `shoal deploy aws`; changes are lost. kubectl apply -k of this folder applies everything."
_SAID = ("DEPLOY-ENGINE-04", "DEPLOY-SETTING-01", "DEPLOY-SETTING-02", "DEPLOY-REACH-02")
"""Findings that Terraform answers, or that are said of the environment already."""


def cluster(scope: Scope) -> Cluster:
    """Say of the environment what the compiler for Kubernetes asks: engines are others', secrets are Amazon's."""
    environment = scope.environment
    used = {server for service in scope.plan.services for server in scope.uses(service).values()}
    own = settings.Environment(
        name=environment.name,
        namespace=scope.named(),
        mesh="none" if environment.mesh == "app-mesh" else environment.mesh,
        engines=dict.fromkeys(IN_CLUSTER, "managed"),
        reach=dict(_reach(scope, used)),
        hosts=environment.hosts,
        registry=f"{environment.account}.dkr.ecr.{environment.region}.amazonaws.com",
        version=environment.version,
        least=environment.least,
        most=environment.most,
        secrets=settings.Secrets(
            store="aws", region=environment.region, prefix=scope.named(), optional=environment.optional
        ),
        services={name: _size(scope, name) for name in environment.services},
        settings=environment.settings,
    )
    return Cluster(plan=scope.plan, environments=(own,), source=scope.source)


def _size(scope: Scope, name: str) -> settings.Size:
    size = scope.environment.services[name]
    return settings.Size(
        least=size.least, most=size.most, cpu=f"{size.cpu * 1000 // 1024}m", memory=f"{size.memory}Mi", busy=size.busy
    )


def _reach(scope: Scope, used: set[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Say in which networks engines are, and interfaces of Amazon where they have an address inside."""
    parts = [*ipaddress.ip_network(scope.environment.cidr).subnets(new_prefix=20)]
    private, engines = (tuple(str(one) for one in parts[first : first + scope.environment.zones]) for first in (0, 4))
    for server in sorted(used):
        if server in ("postgres", "mongo", "valkey", "opensearch"):
            yield server, engines
        elif server == "sns" and scope.environment.endpoints:
            yield server, private


def artifacts(scope: Scope) -> Iterator[Artifact]:
    """Write the manifests, and a kustomization over them that has what Amazon needs."""
    within = cluster(scope)
    for one in kubernetes.compile_kubernetes(within):
        yield Artifact(path=f"{FOLDER}/{one.path}", text=one.text)
    things = [*_things(scope)]
    texts = [yaml.document(thing, head=(why,)) for thing, why in things]
    yield Artifact(path=f"{FOLDER}/amazon.yaml", text="---\n".join(texts))
    body: Json = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [f"overlays/{scope.environment.name}", "amazon.yaml"],
        "patches": [*_patches(scope)],
    }
    yield Artifact(path=f"{FOLDER}/kustomization.yaml", text=yaml.document(body, head=(_HEAD,)))


def findings(scope: Scope) -> Iterator[Finding]:
    """Say what the cluster cannot express, and nothing that Terraform answers."""
    return (one for one in kubernetes.findings(cluster(scope)) if one.code not in _SAID)


def _things(scope: Scope) -> Iterator[tuple[Json, str]]:
    agent = policies.policy(
        scope.system,
        "pod-identity",
        {},
        egress=[policies.rule("to", [policies.network(AGENT)], (80,))],
        component="system",
    )
    agent["metadata"]["namespace"] = scope.named()
    yield agent, "Pods ask an agent on their node who they are to Amazon."
    if scope.environment.repository:
        yield from _delivering(scope)
    if _trusting(scope):
        name = secret(addresses.AUTHORITIES)
        spec: Json = {
            "refreshInterval": "1h",
            "secretStoreRef": {"kind": "SecretStore", "name": scope.system},
            "target": {"name": name, "creationPolicy": "Owner"},
            "data": [{"secretKey": addresses.AUTHORITIES, "remoteRef": {"key": f"{scope.named()}-{name}"}}],
        }
        meta: Json = {"name": name, "namespace": scope.named(), "labels": labels(scope.system, name, "system")}
        thing: Json = {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": meta, "spec": spec}
        yield thing, "Certificates by which services trust the databases that Amazon runs."


def _delivering(scope: Scope) -> Iterator[tuple[Json, str]]:
    name = scope.named("delivery")
    meta: Json = {"name": "delivery", "namespace": scope.named(), "labels": labels(scope.system, "delivery", "system")}
    rbac: Json = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": meta}
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    yield {**rbac, "kind": "Role", "rules": [everything]}, "What pipelines may: everything in this namespace."
    whom = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": name}
    what = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "delivery"}
    yield {**rbac, "kind": "RoleBinding", "subjects": [whom], "roleRef": what}, "Their role of Amazon is this group."


def _trusting(scope: Scope) -> list[str]:
    """Name the services that have a database of RDS or DocumentDB."""
    return [s.name for s in scope.plan.services if {"postgres", "mongo"} & set(scope.uses(s).values())]


def _patches(scope: Scope) -> Iterator[Json]:
    role = scope.named(READER, limit=ROLE)
    arn = f"arn:aws:iam::{scope.environment.account}:role{path(scope)}{role}"
    noted = {"metadata": {"name": READER, "annotations": {"eks.amazonaws.com/role-arn": arn}}}
    yield _patch({"kind": "ServiceAccount", "name": READER}, {"apiVersion": "v1", "kind": "ServiceAccount", **noted})
    if scope.plan.routes:
        marks = {"service.beta.kubernetes.io/aws-load-balancer-type": "nlb"}
        door: Json = {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {"name": EDGE},
            "spec": {"infrastructure": {"annotations": marks}},
        }
        yield _patch({"kind": "Gateway", "name": EDGE}, door)
    volume = {"name": "authorities", "secret": {"secretName": secret(addresses.AUTHORITIES)}}
    mount = {"name": "authorities", "mountPath": addresses.FILES, "readOnly": True}
    operations = [
        {"op": "add", "path": "/spec/template/spec/volumes/-", "value": volume},
        {"op": "add", "path": "/spec/template/spec/containers/0/volumeMounts/-", "value": mount},
    ]
    for name in _trusting(scope):
        for kind, component in (("Deployment", "service"), ("Job", "job")):
            selected = f"{APPLICATION}={name},{COMPONENT}={component}"
            target = {"kind": kind, "labelSelector": selected}
            yield {"target": target, "patch": msgspec.json.encode(operations).decode()}


def _patch(target: Json, body: Json) -> Json:
    return {"target": target, "patch": yaml.document(body)}
