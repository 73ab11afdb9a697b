"""HorizontalPodAutoscaler v2: replicas by CPU and memory."""

from shoal.deploy.kubernetes.naming import meta
from shoal.deploy.yaml import Json, Noted

FULL = 80
"""Percent of the promised memory from which on there are more replicas."""


def autoscaler(system: str, name: str, *, least: int, most: int, busy: int) -> Json:
    """Make an autoscaler between `least` and `most` replicas; `busy` is percent of the promised CPU."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": meta(system, name),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": least,
            "maxReplicas": most,
            "metrics": [_utilization("cpu", busy), _utilization("memory", FULL)],
            "behavior": behavior(),
        },
    }


def behavior() -> Json:
    """Grow at once, shrink slowly: a start costs seconds, and load comes in waves."""
    return {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "policies": [
                {"type": "Percent", "value": 100, "periodSeconds": 30},
                {"type": "Pods", "value": 2, "periodSeconds": 30},
            ],
        },
        "scaleDown": {
            "stabilizationWindowSeconds": Noted(300, "The most that was wanted within these seconds holds."),
            "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}],
        },
    }


def _utilization(resource: str, percent: int) -> Json:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": resource, "target": target}}
