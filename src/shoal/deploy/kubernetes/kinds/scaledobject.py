"""ScaledObjects of KEDA: replicas by what waits in the broker, and by CPU and memory."""

from collections.abc import Sequence

from shoal.deploy.kubernetes.kinds.autoscaler import FULL, behavior
from shoal.deploy.kubernetes.naming import meta
from shoal.deploy.yaml import Json


def scaledobject(system: str, name: str, triggers: Sequence[object], *, least: int, most: int) -> Json:
    """Make a ScaledObject; KEDA makes the autoscaler for it."""
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": meta(system, name),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicaCount": least,
            "maxReplicaCount": most,
            "pollingInterval": 15,
            "fallback": {"failureThreshold": 4, "replicas": least},
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": behavior()}},
            "triggers": list(triggers),
        },
    }


def utilization(resource: str, percent: int = FULL) -> Json:
    """Scale by percent of what a replica is promised."""
    return {"type": resource, "metricType": "Utilization", "metadata": {"value": str(percent)}}


def nats(server: str, stream: str, consumer: str, waiting: int) -> Json:
    """Scale by the messages of a durable consumer that nobody has answered."""
    return {
        "type": "nats-jetstream",
        "metadata": {
            "natsServerMonitoringEndpoint": server,
            "account": "$G",
            "stream": stream,
            "consumer": consumer,
            "lagThreshold": str(waiting),
        },
    }
