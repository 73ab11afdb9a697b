"""How many replicas: by CPU and memory, and by the events that wait where a service hears some."""

from collections.abc import Iterator

from shoal.deploy.kubernetes.kinds import scaledobject
from shoal.deploy.kubernetes.kinds.autoscaler import autoscaler
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.kubernetes.sheet import Sheet, sheet
from shoal.deploy.yaml import Json, Noted
from shoal.model import names
from shoal.model.finding import Finding
from shoal.model.plan import ServicePlan

WAITING = 1000
"""Events of one part that wait for each replica; a consumer works off a few thousand a second."""

MONITORING = 8222
"""Port at which NATS says how many messages wait."""


def make(scope: Scope, service: ServicePlan, folder: str) -> Sheet:
    """Make the scaler of a service, for the last environment; the others change its bounds."""
    source, size = scope.declared(service).source, scope.size(scope.environments[-1], service)
    if by_lag(service):
        body = _by_lag(scope, service)
        why = f"One replica at a time works off a part of a stream: beyond {names.PARTS}, more hear no faster."
        return sheet(f"{folder}/scaledobject.yaml", body, source=source, why=why)
    body = autoscaler(scope.system, service.name, least=size.least, most=size.most, busy=size.busy)
    return sheet(f"{folder}/autoscaler.yaml", body, source=source)


def by_lag(service: ServicePlan) -> bool:
    """Tell whether what waits in the broker decides too."""
    return service.broker is not None and service.broker.engine == "nats" and bool(service.broker.consumers)


def bounds(scope: Scope, environment: Environment, service: ServicePlan) -> Json:
    """Write what an environment changes: least and most."""
    size = scope.size(environment, service)
    if by_lag(service):
        spec = {"minReplicaCount": size.least, "maxReplicaCount": size.most, "fallback": {"replicas": size.least}}
        return {
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "ScaledObject",
            "metadata": {"name": service.name},
            "spec": spec,
        }
    spec = {"minReplicas": size.least, "maxReplicas": size.most}
    kind = "HorizontalPodAutoscaler"
    return {"apiVersion": "autoscaling/v2", "kind": kind, "metadata": {"name": service.name}, "spec": spec}


def findings(scope: Scope) -> Iterator[Finding]:
    """Say which services are not scaled by what waits, although they hear events."""
    for service in scope.plan.services:
        if service.broker is not None and service.broker.consumers and not by_lag(service):
            yield Finding(
                code="DEPLOY-SCALE-01",
                severity="info",
                where=scope.declared(service).source,
                message=f"{service.name} is scaled by CPU and memory, not by what waits in {service.broker.engine}",
                help="add a trigger of KEDA by a patch; its scalers for that broker need credentials of yours",
            )
    if any(by_lag(service) for service in scope.plan.services):
        for environment in scope.environments:
            if scope.place(environment, "nats") == "managed":
                yield Finding(
                    code="DEPLOY-SCALE-02",
                    severity="warning",
                    message=f"{environment.name} does not say where its NATS tells what waits: its services stay few",
                    help="replace natsServerMonitoringEndpoint of its ScaledObjects by a patch",
                )


def _by_lag(scope: Scope, service: ServicePlan) -> Json:
    assert service.broker is not None  # noqa: S101 - it hears events
    size = scope.size(scope.environments[-1], service)
    server = f"nats.{scope.system}.svc.cluster.local:{MONITORING}"
    asked = [
        scaledobject.nats(server, consumer.stream, consumer.durable, WAITING)
        for consumer in service.broker.consumers
        if not consumer.durable.endswith("-again")
    ]
    triggers: list[object] = [
        scaledobject.utilization("cpu", size.busy),
        scaledobject.utilization("memory"),
        Noted(asked[0], f"{len(asked)} consumers, one for each part of each stream that it hears."),
        *asked[1:],
    ]
    return scaledobject.scaledobject(scope.system, service.name, triggers, least=size.least, most=size.most)
