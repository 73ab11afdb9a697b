"""PriorityClasses: who stays when a node is full."""

from shoal.deploy.kubernetes.naming import labels
from shoal.deploy.yaml import Json


def priority(system: str, name: str, value: int, why: str) -> Json:
    """Make a class of priority; it belongs to the cluster, so its name begins with the system's."""
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name, "labels": labels(system, system, "system")},
        "value": value,
        "globalDefault": False,
        "preemptionPolicy": "PreemptLowerPriority",
        "description": why,
    }
