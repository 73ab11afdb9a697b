"""Deployments: replicas of one service, replaced one by one."""

from shoal.deploy.kubernetes.naming import VERSION, joined, meta, selector
from shoal.deploy.yaml import Json, Noted
from shoal.model.rollout import STABLE


def deployment(system: str, name: str, template: Json, *, replicas: int | None = None, version: str = STABLE) -> Json:
    """Make a Deployment of one version of a service; `replicas` is None where a scaler decides."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta(system, name if version == STABLE else joined(name, version), owner=name),
        "spec": {
            **({} if replicas is None else {"replicas": replicas}),
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": {**selector(system, name), VERSION: version}},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": Noted(
                    {"maxSurge": 1, "maxUnavailable": 0}, "No replica goes before another is ready."
                ),
            },
            "template": template,
        },
    }
