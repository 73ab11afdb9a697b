"""Jobs: what is done once for a version."""

from shoal.deploy.kubernetes.naming import labels
from shoal.deploy.yaml import Json, Noted

TRIES = 6
"""Attempts; each waits for its engine by itself."""

WITHIN = 1800
"""Seconds for all attempts together."""


def job(system: str, name: str, template: Json) -> Json:
    """Make a Job that goes away by itself."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": labels(system, name, "job")},
        "spec": {
            "backoffLimit": TRIES,
            "activeDeadlineSeconds": WITHIN,
            "ttlSecondsAfterFinished": Noted(3600, "A Job cannot be changed. The next version has another name."),
            "template": template,
        },
    }
