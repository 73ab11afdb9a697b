"""What services are told, and their pods bear, so that they are watched."""

from shoal.deploy.kubernetes.naming import PORT
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.yaml import Json

NAMESPACE = "monitoring"
"""Where Prometheus, Tempo, Loki and Grafana are."""

COLLECTOR, OTLP = "collector", 4318
"""Where services send their telemetry, in their own namespace."""


TELEMETRY = "telemetry"
"""ConfigMap of an environment that says to all of its services where telemetry goes."""


def watched(scope: Scope) -> bool:
    """Tell whether any environment is watched."""
    return any(environment.monitoring for environment in scope.environments)


def variables(environment: Environment) -> dict[str, str]:
    """Say to a service where telemetry goes. Prometheus reads the metrics, so they are not sent."""
    if not environment.monitoring:
        return {}
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{COLLECTOR}:{OTLP}",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_RESOURCE_ATTRIBUTES": f"deployment.environment.name={environment.name}",
    }


def annotations(scope: Scope, service: str) -> Json:
    """Say of a pod where its proxy finds metrics, and that its records are sent already.

    What a crash prints goes to standard error, and is read all the same.
    """
    if not watched(scope):
        return {}
    found: Json = {f"fluentbit.io/exclude_stdout-{service}": "true"}
    if scope.mesh == "istio":
        found |= {"prometheus.io/scrape": "true", "prometheus.io/port": str(PORT), "prometheus.io/path": "/metrics"}
    return found
