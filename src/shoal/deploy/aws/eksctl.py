"""The cluster as eksctl's ClusterConfig, for those who make theirs by it: the same nodes, add-ons and roles. Pure.

The network and the key are Terraform's: ``${VPC}``, ``${SUBNET_1}`` and ``${KEY}`` stand for what
``terraform output cluster`` says of them.
"""

from shoal.deploy import yaml
from shoal.deploy.aws.naming import ROLE
from shoal.deploy.aws.resources import Identity, Kubernetes, Nodes
from shoal.deploy.aws.rights import path
from shoal.deploy.aws.scope import Scope
from shoal.deploy.cloud.resource import Resource
from shoal.deploy.yaml import Json

_HEAD = (
    "Written by `shoal deploy aws`; changes are lost.",
    "The cluster of eks.tf by eksctl, where eksctl = true; otherwise Terraform makes it, and this is not needed.",
    "Apply the network and the key first, put their names in the place of ${VPC}, ${SUBNET_1} and ${KEY}, then",
    "eksctl create cluster -f FILE.",
)


def config(scope: Scope, resources: tuple[Resource, ...]) -> str:
    """Write it."""
    (cluster,) = (one for one in resources if isinstance(one, Kubernetes))
    (nodes,) = (one for one in resources if isinstance(one, Nodes))
    identities = [one for one in resources if isinstance(one, Identity)]
    subnets = {f"zone-{n}": {"id": f"${{SUBNET_{n}}}"} for n in range(1, scope.environment.zones + 1)}
    document: Json = {
        "apiVersion": "eksctl.io/v1alpha5",
        "kind": "ClusterConfig",
        "metadata": {
            "name": scope.named(limit=100),
            "region": scope.environment.region,
            "version": cluster.version,
            "tags": {"system": scope.system, "environment": scope.environment.name},
        },
        "vpc": {
            "id": "${VPC}",
            "subnets": {"private": subnets},
            "clusterEndpoints": {"privateAccess": True, "publicAccess": False},
        },
        "secretsEncryption": {"keyARN": "${KEY}"},
        "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True},
        "iam": {"withOIDC": True, "podIdentityAssociations": [_identity(scope, one) for one in identities]},
        "addons": [_addon(name, dict(said)) for name, said in cluster.addons.items()],
        "addonsConfig": {"autoApplyPodIdentityAssociations": True},
        "managedNodeGroups": [_group(nodes)],
        "cloudWatch": {
            "clusterLogging": {
                "enableTypes": ["api", "audit", "authenticator", "controllerManager", "scheduler"],
                "logRetentionInDays": cluster.days,
            }
        },
        "zonalShiftConfig": {"enabled": True},
    }
    return yaml.document(document, head=_HEAD)


def _addon(name: str, said: dict[str, object]) -> Json:
    lines = "".join(f'{key}: "{value}"\n' for key, value in said.items())
    return {"name": name, **({"configurationValues": lines} if lines else {})}


def _group(nodes: Nodes) -> Json:
    return {
        "name": nodes.name,
        "amiFamily": "AmazonLinux2023",
        "instanceTypes": [nodes.instance],
        "spot": nodes.spot,
        "minSize": nodes.least,
        "desiredCapacity": nodes.least,
        "maxSize": nodes.most,
        "volumeSize": nodes.disk,
        "volumeType": "gp3",
        "volumeEncrypted": True,
        "privateNetworking": True,
        "disablePodIMDS": True,
        "nodeRepairConfig": {"enabled": True},
        "updateConfig": {"maxUnavailable": 1},
    }


def _identity(scope: Scope, one: Identity) -> Json:
    role = scope.named(one.role, limit=ROLE)
    return {
        "namespace": one.namespace,
        "serviceAccountName": one.account,
        "createServiceAccount": False,
        "roleARN": f"arn:aws:iam::{scope.environment.account}:role{path(scope)}{role}",
    }
