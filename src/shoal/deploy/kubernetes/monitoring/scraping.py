"""Who reads the metrics, and by which way past the mesh."""

from collections.abc import Iterator

from shoal.deploy.kubernetes.kinds import networkpolicy as policies
from shoal.deploy.kubernetes.monitoring.wiring import NAMESPACE, watched
from shoal.deploy.kubernetes.naming import APPLICATION, COMPONENT, HTTP, PORT, SYSTEM, meta
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.sheet import Made, Sheet, Thing
from shoal.deploy.yaml import Json
from shoal.model.finding import Finding

MERGED = 15020
"""Where Istio's proxy shows its own metrics and those of the service beside it."""

SCRAPED = ("istio", "none")
"""Meshes in which somebody outside can read a service's metrics without being let in to its operations."""


def make(scope: Scope) -> Iterator[Made]:
    """Make the ServiceMonitor and the policy that lets Prometheus come."""
    if scope.mesh not in SCRAPED:
        return
    services = {SYSTEM: scope.system, COMPONENT: "service"}
    port = MERGED if scope.istio else PORT
    ingress = [policies.rule("from", [policies.elsewhere(NAMESPACE)], [port])]
    body = policies.policy(scope.system, "metrics", services, ingress=ingress, component="system")
    yield Sheet(
        path="monitoring/metrics.yaml",
        things=(
            Thing(
                body=_monitor(scope, services), why="One for all: they have the same port, and their names as labels."
            ),
            Thing(body=body, why="Prometheus may read metrics, and ask for nothing else." if scope.istio else ""),
        ),
    )


def findings(scope: Scope) -> Iterator[Finding]:
    """Say where metrics cannot be read."""
    if watched(scope) and scope.mesh not in SCRAPED:
        yield Finding(
            code="DEPLOY-MONITOR-01",
            severity="warning",
            message=f"nobody reads the metrics of services in {scope.mesh}: whoever may read them there may call them",
            help="let them be sent: a patch that sets OTEL_METRICS_EXPORTER=otlp",
        )


def _monitor(scope: Scope, services: Json) -> Json:
    endpoint: Json = {"port": HTTP, "path": "/metrics", "interval": "15s", "scrapeTimeout": "10s"}
    if scope.istio:
        address = {"sourceLabels": ["__meta_kubernetes_pod_ip"], "targetLabel": "__address__", "action": "replace"}
        endpoint["path"] = "/stats/prometheus"
        endpoint["relabelings"] = [{**address, "regex": "(.+)", "replacement": f"$1:{MERGED}"}]
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": meta(scope.system, scope.system, "system"),
        "spec": {"jobLabel": APPLICATION, "selector": {"matchLabels": services}, "endpoints": [endpoint]},
    }
