"""Service accounts: who a workload is, to the mesh and to the cloud."""

from shoal.deploy.kubernetes.naming import Component, meta
from shoal.deploy.yaml import Json


def account(system: str, name: str, component: Component = "service") -> Json:
    """Make a ServiceAccount without a token: nothing of ours talks to the cluster."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": meta(system, name, component),
        "automountServiceAccountToken": False,
    }
