"""The cluster of Kubernetes, where an environment asks for one: its nodes, its add-ons, and who its pods are."""

from collections.abc import Iterator

from shoal.deploy.aws.resources import Identity, Kubernetes, Nodes, Resource, Right, Role
from shoal.deploy.aws.scope import Scope
from shoal.deploy.aws.workloads import OPERATOR
from shoal.deploy.cloud.values import ACCOUNT, Ref, join

VERSION = "1.34"
"""Of Kubernetes."""

READER, STREAMS = "secrets-reader", "streams"
"""Accounts of the cluster, as `shoal.deploy.kubernetes` calls them: who reads secrets, and who declares streams."""

CONTROL, NODES, CNI = "cluster", "nodes", "cni"
"""Roles of the cluster itself, of its machines, and of what gives pods their addresses."""

ADDONS = {
    "coredns": {},
    "eks-pod-identity-agent": {},
    "kube-proxy": {},
    "metrics-server": {},
    "vpc-cni": {"enableNetworkPolicy": "true"},
}
"""What a cluster has from the beginning; the network enforces policies."""


def make(scope: Scope) -> Iterator[Resource]:
    """Make the cluster, and who is who in it."""
    environment = scope.environment
    if not environment.eks:
        return
    yield Kubernetes(
        name="main",
        version=VERSION,
        addons=ADDONS,
        days=environment.keep_logs,
        eksctl=environment.eksctl,
        protected=environment.protected,
        why="Its interface has no address outside: who applies anything is inside, or comes through a tunnel.",
    )
    wanted = environment.nodes
    yield Nodes(
        name="main",
        instance=wanted.instance,
        least=wanted.least,
        most=wanted.most,
        disk=wanted.disk,
        architecture=environment.architecture,
        spot=wanted.spot,
    )
    yield from _roles(scope)
    for service in scope.plan.services:
        yield _identity(scope, service.name, service.name, service=service.name)
    if scope.operated:
        yield _identity(scope, STREAMS, OPERATOR)


def _identity(scope: Scope, account: str, role: str, *, service: str = "") -> Identity:
    return Identity(name=account, account=account, namespace=scope.named(), role=role, service=service)


def _roles(scope: Scope) -> Iterator[Role]:
    if not scope.environment.eksctl:
        yield Role(name=CONTROL, trusts="cluster", rights=(), managed=("AmazonEKSClusterPolicy",))
        images = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
        yield Role(name=NODES, trusts="nodes", rights=(), managed=images)
        yield Role(name=CNI, trusts="pods", rights=(), managed=("AmazonEKS_CNI_Policy",))
    start = f"arn:aws:secretsmanager:{scope.environment.region}:"
    own = join(start, ACCOUNT, f":secret:{scope.named()}-*")
    yield Role(
        name=READER,
        trusts="account",
        subject=f"{scope.named()}:{READER}",
        rights=(
            Right(actions=("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"), resources=(own,)),
            Right(actions=("kms:Decrypt",), resources=(Ref("key", "data"),)),
        ),
        why="By it External Secrets reads; who may read which in the cluster is a matter of the cluster.",
    )
