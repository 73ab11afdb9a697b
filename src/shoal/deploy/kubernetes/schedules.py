"""Schedules that ask for a process of their own: a CronJob wakes it, and the service's store says what is due."""

import math
from collections.abc import Iterator

from shoal.deploy.kubernetes import configuration
from shoal.deploy.kubernetes.kinds import pod
from shoal.deploy.kubernetes.naming import COMPONENT, joined, labels
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.sheet import Made, Sheet, Thing
from shoal.deploy.kubernetes.timing import alone, expression
from shoal.deploy.kubernetes.workloads import container
from shoal.deploy.yaml import Json, Noted
from shoal.model.finding import Finding
from shoal.model.names import shorten
from shoal.model.plan import ServicePlan
from shoal.model.schedule import GIVEN_UP, Schedule

LONGEST_PAUSE = 60
"""Seconds between attempts at most."""

LONGEST_NAME = 52
"""Characters of the name of a CronJob: its Jobs add eleven (Kubernetes, "CronJob")."""

LATE = {"skip": 60, "once": 600, "all": 600}
"""Seconds by which a pod may start late; what is missed altogether is seen to when the next one starts."""


def make(scope: Scope) -> Iterator[Made]:
    """Make them, beside the service that they belong to."""
    for service in scope.plan.services:
        found = alone(scope.declared(service))
        things = tuple(
            Thing(body=_cronjob(scope, service, one, when), source=one.source, why=one.summary)
            for one, when in found.items()
        )
        if things:
            yield Sheet(path=f"base/{service.name}/schedules.yaml", things=things)


def findings(scope: Scope) -> Iterator[Finding]:
    """Name those that no CronJob can wake."""
    for service in scope.plan.services:
        for one in scope.declared(service).schedules:
            if one.apart and not expression(one):
                yield Finding(
                    code="DEPLOY-SCHEDULE-01",
                    severity="warning",
                    where=one.source,
                    message=f"schedule {one.name} of {service.name} runs in a replica: no CronJob comes {one.rule}",
                    help="choose a period that divides an hour or a day, or a cron expression",
                )


def _cronjob(scope: Scope, service: ServicePlan, schedule: Schedule, when: str) -> Json:
    name, within = f"{service.name}-{schedule.name}", _within(schedule)
    given_up = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [GIVEN_UP]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            "name": shorten(name, LONGEST_NAME),
            "labels": labels(scope.system, joined(name), "job"),
        },
        "spec": {
            "schedule": Noted(when, "Only wakes it: what is due, and what is done, the service's store knows."),
            "timeZone": "Etc/UTC" if schedule.zone == "UTC" else schedule.zone,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": LATE[schedule.missed],
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {
                "spec": {
                    "backoffLimit": 2,
                    "activeDeadlineSeconds": Noted(within, f"{schedule.attempts} attempts, and the pauses between."),
                    "podFailurePolicy": Noted({"rules": [given_up]}, "A run that was given up is not begun again."),
                    "template": _template(scope, service, schedule),
                }
            },
        },
    }


def _template(scope: Scope, service: ServicePlan, schedule: Schedule) -> Json:
    secrets, volumes = pod.files(configuration.files(scope, service))
    mount, tmp = pod.scratch()
    main = {
        **container(scope, service),
        "name": "run",
        "command": ["python", "-m", "shoal.runtime.once", schedule.name],
        "volumeMounts": [mount, *secrets],
    }
    spec: Json = {
        **pod.base(service.name),
        "restartPolicy": "Never",
        "containers": [main],
        "volumes": [tmp, *volumes],
    }
    return pod.template({**labels(scope.system, service.name), COMPONENT: "job"}, spec)


def _within(schedule: Schedule) -> int:
    """Seconds from the start of a pod to the end of its last attempt."""
    return pod.STARTING + math.ceil(schedule.attempts * (schedule.timeout + LONGEST_PAUSE))
