"""Deployments: replicas of one service, replaced one by one."""

from shoal.deploy.kubernetes.naming import meta, selector
from shoal.deploy.yaml import Json, Noted


def deployment(system: str, name: str, template: Json, *, replicas: int | None) -> Json:
    """Make a Deployment; `replicas` is None where a scaler decides."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta(system, name),
        "spec": {
            **({} if replicas is None else {"replicas": replicas}),
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": selector(system, name)},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": Noted(
                    {"maxSurge": 1, "maxUnavailable": 0}, "No replica goes before another is ready."
                ),
            },
            "template": template,
        },
    }
