"""What runs: for each service a Deployment, its name, its identity, its scaler and its disruption budget."""

from collections.abc import Iterator

from shoal.deploy.kubernetes import configuration, scaling
from shoal.deploy.kubernetes.kinds import pod
from shoal.deploy.kubernetes.kinds.account import account
from shoal.deploy.kubernetes.kinds.deployment import deployment
from shoal.deploy.kubernetes.kinds.disruption import disruption
from shoal.deploy.kubernetes.kinds.priority import priority
from shoal.deploy.kubernetes.kinds.service import service as name_of
from shoal.deploy.kubernetes.monitoring import wiring
from shoal.deploy.kubernetes.naming import VERSION, labels
from shoal.deploy.kubernetes.scope import LEAVING, Scope, drain, grace
from shoal.deploy.kubernetes.sheet import Made, Sheet, Thing, sheet
from shoal.deploy.yaml import Json, Noted
from shoal.model.plan import ServicePlan
from shoal.model.rollout import STABLE

COMMAND = ["python", "-m", "shoal.runtime"]
"""What a service's container runs."""

PRIORITIES = (("engine", 1_000_000, "what others cannot do without"), ("service", 100_000, "services that are asked"))
"""Who stays when a node is full, with what value and why."""


RENEWED = {"reloader.stakater.com/auto": "true"}
"""Asks Reloader to replace the pods when a secret that they read changes."""


def make(scope: Scope) -> Iterator[Made]:
    """Make the workloads of every service."""
    for service in scope.plan.services:
        yield from _service(scope, service)
    classes = tuple(
        Thing(body=priority(scope.system, priority_of(scope, kind), value, why)) for kind, value, why in PRIORITIES
    )
    yield Sheet(path="base/cluster/priorities.yaml", things=classes)


def priority_of(scope: Scope, kind: str) -> str:
    """Name a class of priority."""
    return f"{scope.system}-{kind}"


def image_of(scope: Scope, service: ServicePlan) -> str:
    """Name an image as the base does; each environment says where it is and which version."""
    return f"{scope.system}/{service.name}"


def _service(scope: Scope, service: ServicePlan) -> Iterator[Made]:
    folder, source = f"base/{service.name}", scope.declared(service).source
    body = deployment(scope.system, service.name, template_of(scope, service))
    body["metadata"]["annotations"] = Noted(RENEWED, "A rotated secret makes new pods, where Reloader is installed.")
    yield sheet(f"{folder}/deployment.yaml", body, source=source, why=scope.declared(service).summary)
    yield sheet(f"{folder}/service.yaml", _name(scope, service), source=source)
    yield sheet(f"{folder}/serviceaccount.yaml", account(scope.system, service.name), source=source)
    yield sheet(f"{folder}/disruption.yaml", disruption(scope.system, service.name), source=source)
    yield scaling.make(scope, service, folder)


def _name(scope: Scope, service: ServicePlan) -> Json:
    body = name_of(scope.system, service.name)
    if scope.mesh == "istio-ambient":
        why = (
            "The waypoint decides of services, also for the gateway. Servers are reached directly: they ask who calls."
        )
        marks = {"istio.io/use-waypoint": "waypoint", "istio.io/ingress-use-waypoint": "true"}
        body["metadata"]["labels"] = Noted({**body["metadata"]["labels"], **marks}, why)
    return body


def template_of(scope: Scope, service: ServicePlan, version: str = STABLE) -> Json:
    """Make the template of the pods of one version."""
    marks = {**labels(scope.system, service.name), VERSION: version}
    return pod.template(marks, pod_of(scope, service), wiring.annotations(scope, service.name))


def pod_of(scope: Scope, service: ServicePlan) -> Json:
    """Specify the pod of a service."""
    declared = scope.declared(service)
    secrets, volumes = pod.files(configuration.files(scope, service))
    mount, tmp = pod.scratch()
    return {
        **pod.base(service.name, priority=priority_of(scope, "service")),
        "terminationGracePeriodSeconds": Noted(
            grace(declared),
            f"{LEAVING} s until nobody sends any more, {drain(declared)} s for requests, as much for events and sagas "
            "in hand, and 5 s to close.",
        ),
        **pod.spread(scope.system, service.name),
        "containers": [
            {
                **container(scope, service),
                "ports": [pod.port()],
                **pod.probes(),
                "lifecycle": Noted(
                    {"preStop": {"sleep": {"seconds": LEAVING}}},
                    "Still serves while proxies and gateways learn that it goes; SIGTERM comes after.",
                ),
                "volumeMounts": [mount, *secrets],
            }
        ],
        "volumes": [tmp, *volumes],
    }


def container(scope: Scope, service: ServicePlan) -> Json:
    """Begin the container of a service: its image, its environment and its limits."""
    size = scope.size(scope.environments[-1], service)
    return {
        "name": service.name,
        "image": image_of(scope, service),
        "imagePullPolicy": "IfNotPresent",
        "command": COMMAND,
        "env": [
            {"name": "SHOAL_REPLICA", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        "envFrom": configuration.sources(scope, service),
        "resources": pod.resources(size.cpu, size.memory),
        "securityContext": pod.confined(),
    }
