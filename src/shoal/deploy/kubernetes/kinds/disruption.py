"""PodDisruptionBudgets: how many replicas may be taken away on purpose at a time."""

from shoal.deploy.kubernetes.naming import Component, meta, selector
from shoal.deploy.yaml import Json, Noted


def disruption(system: str, name: str, component: Component = "service") -> Json:
    """Let one replica go at a time."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": meta(system, name, component),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": Noted(
                "AlwaysAllow", "One that is broken does not keep a node from being emptied."
            ),
            "selector": {"matchLabels": selector(system, name, component)},
        },
    }
