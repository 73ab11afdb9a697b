"""StatefulSets: servers with names and disks of their own."""

from shoal.deploy.kubernetes.naming import meta, selector
from shoal.deploy.yaml import Json, Noted


def statefulset(system: str, name: str, template: Json, *, replicas: int, claim: Json, parallel: bool = False) -> Json:
    """Make a StatefulSet whose pods find each other as ``NAME-0.NAME-peers``."""
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": meta(system, name, "engine"),
        "spec": {
            "serviceName": f"{name}-peers",
            "replicas": replicas,
            "podManagementPolicy": "Parallel" if parallel else "OrderedReady",
            "minReadySeconds": 10,
            "selector": {"matchLabels": selector(system, name, "engine")},
            "persistentVolumeClaimRetentionPolicy": Noted(
                {"whenDeleted": "Retain", "whenScaled": "Retain"}, "Disks outlive whoever deletes or shrinks this."
            ),
            "template": template,
            "volumeClaimTemplates": [claim],
        },
    }


def claim(size: str, kind: str) -> Json:
    """Ask for a disk; `kind` is its storage class, the cluster's own when empty."""
    return {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            **({"storageClassName": kind} if kind else {}),
            "resources": {"requests": {"storage": size}},
        },
    }
