"""How many replicas: by processor and memory, and by the events that wait where a service hears some."""

from collections.abc import Iterator

from shoal.deploy.azure import naming
from shoal.deploy.azure.resources import Scaler
from shoal.deploy.azure.scope import Scope
from shoal.deploy.cloud.values import Ref
from shoal.deploy.kubernetes.scaling import WAITING
from shoal.model.plan import ServicePlan

FULL = 80
"""Percent of the memory from which on there are more replicas."""


def rules(scope: Scope, service: ServicePlan) -> Iterator[Scaler]:
    """List what the replicas of a service follow; KEDA takes the largest number that one of them asks for."""
    size = scope.size(service)
    yield Scaler(name="processor", kind="cpu", about={"type": "Utilization", "value": str(size.busy)})
    yield Scaler(name="memory", kind="memory", about={"type": "Utilization", "value": str(FULL)})
    if scope.uses(service).get("broker") != "servicebus" or service.broker is None:
        return
    for number, one in enumerate(c for c in service.broker.consumers if not c.durable.endswith("-again")):
        yield Scaler(
            name=f"waiting-{number}",
            kind="azure-servicebus",
            about={
                "namespace": Ref("bus", "main", "name"),
                "topicName": one.stream,
                "subscriptionName": naming.subscription(one.durable),
                "messageCount": str(WAITING),
            },
            identified=True,
        )
