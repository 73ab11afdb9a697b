"""OpenTelemetry's Collector beside the services: takes what they send, keeps the traces that matter, passes on."""

from collections.abc import Iterator

from shoal.deploy import yaml
from shoal.deploy.kubernetes.istio import who
from shoal.deploy.kubernetes.kinds import networkpolicy as policies
from shoal.deploy.kubernetes.kinds import pod
from shoal.deploy.kubernetes.kinds.account import account
from shoal.deploy.kubernetes.monitoring.wiring import COLLECTOR as NAME
from shoal.deploy.kubernetes.monitoring.wiring import NAMESPACE, OTLP
from shoal.deploy.kubernetes.naming import COMPONENT, SYSTEM, labels, meta, selector
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.sheet import Entry, Made, Sheet, Text, Thing
from shoal.deploy.yaml import Json, Noted

IMAGE = "docker.io/otel/opentelemetry-collector-contrib:0.139.0"
HEALTH = 13133
BACKENDS = (4318, 3100, 9090)
"""Ports of Tempo, Loki and Prometheus."""

SLOW = 1000
"""Milliseconds from which on a trace is kept; the services' own `SHOAL_TRACES_SLOW` begins there, too."""

KEPT = 10
"""Percent of the traces that are kept although they were quick and right."""


def make(scope: Scope) -> Iterator[Made]:
    """Make the collector: its configuration, itself, and who may talk to it."""
    yield Text(path=f"monitoring/{NAME}.yaml", text=yaml.document(configuration(), head=(_HEAD,)))
    generator = {"name": f"{NAME}-settings", "files": [f"{NAME}.yaml"]}
    yield Entry(folder="monitoring", field="configMapGenerator", value=generator)
    things = [
        Thing(body=account(scope.system, NAME)),
        Thing(body=_service(scope)),
        Thing(body=_deployment(scope), why="One replica: all spans of a trace must meet before it is judged."),
        Thing(body=_network(scope)),
        Thing(body=_sending(scope), why="Every service may send, and get nothing back but an acknowledgement."),
    ]
    if scope.istio:
        things.append(Thing(body=_access(scope)))
    yield Sheet(path="monitoring/deployment.yaml", things=tuple(things))


_HEAD = "Written by `shoal deploy kubernetes`. Tempo, Loki and Prometheus are in the namespace `monitoring`."


def configuration() -> Json:
    """Configure the collector."""
    return {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"0.0.0.0:{OTLP}"}}}},
        "processors": _processors(),
        "exporters": {
            "otlphttp/traces": _exporter("tempo", 4318),
            "otlphttp/logs": _exporter("loki", 3100, "/otlp"),
            "prometheusremotewrite": {
                "endpoint": f"http://prometheus-operated.{NAMESPACE}.svc:9090/api/v1/write",
                "resource_to_telemetry_conversion": {"enabled": True},
            },
        },
        "extensions": {"health_check": {"endpoint": f"0.0.0.0:{HEALTH}"}},
        "service": {
            "extensions": ["health_check"],
            "pipelines": {
                "traces": _pipeline(["memory_limiter", "tail_sampling", "batch"], "otlphttp/traces"),
                "logs": _pipeline(["memory_limiter", "batch"], "otlphttp/logs"),
                "metrics": Noted(
                    _pipeline(["memory_limiter", "batch"], "prometheusremotewrite"),
                    "Of services in other languages; those of Shoal are asked by Prometheus.",
                ),
            },
        },
    }


def _processors() -> Json:
    return {
        "memory_limiter": Noted(
            {"check_interval": "1s", "limit_percentage": 80, "spike_limit_percentage": 20},
            "Refuses before it is killed; who sends tries again.",
        ),
        "tail_sampling": {
            "decision_wait": Noted("10s", "As long as a request may take; a later span finds its trace judged."),
            "num_traces": 50000,
            "policies": [
                {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}},
                {"name": "slow", "type": "latency", "latency": {"threshold_ms": SLOW}},
                {"name": "some", "type": "probabilistic", "probabilistic": {"sampling_percentage": KEPT}},
            ],
        },
        "batch": {"timeout": "1s", "send_batch_size": 2048},
    }


def _exporter(name: str, port: int, path: str = "") -> Json:
    return {
        "endpoint": f"http://{name}.{NAMESPACE}.svc:{port}{path}",
        "sending_queue": {"enabled": True, "queue_size": 5000},
        "retry_on_failure": {"enabled": True, "max_elapsed_time": "300s"},
    }


def _pipeline(processors: list[str], exporter: str) -> Json:
    return {"receivers": ["otlp"], "processors": processors, "exporters": [exporter]}


def _service(scope: Scope) -> Json:
    port = {"name": "otlp-http", "port": OTLP, "targetPort": OTLP, "protocol": "TCP", "appProtocol": "http"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta(scope.system, NAME, "system"),
        "spec": {"type": "ClusterIP", "selector": selector(scope.system, NAME, "system"), "ports": [port]},
    }


def _deployment(scope: Scope) -> Json:
    alive = {"httpGet": {"path": "/", "port": HEALTH}, "periodSeconds": 10}
    container: Json = {
        "name": NAME,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "args": [f"--config=/etc/{NAME}/{NAME}.yaml"],
        "ports": [{"name": "otlp-http", "containerPort": OTLP, "protocol": "TCP"}],
        "resources": pod.resources("200m", "512Mi"),
        "securityContext": pod.confined(),
        "readinessProbe": alive,
        "livenessProbe": alive,
        "volumeMounts": [{"name": "settings", "mountPath": f"/etc/{NAME}", "readOnly": True}],
    }
    spec = {
        **pod.base(NAME),
        "containers": [container],
        "volumes": [{"name": "settings", "configMap": {"name": f"{NAME}-settings"}}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta(scope.system, NAME, "system"),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": selector(scope.system, NAME, "system")},
            "template": pod.template(labels(scope.system, NAME, "system"), spec),
        },
    }


def _network(scope: Scope) -> Json:
    """Let services in, and the collector out to what keeps telemetry."""
    ingress = [policies.rule("from", [policies.pods(_senders(scope))], _ports(scope))]
    egress = [policies.rule("to", [policies.elsewhere(NAMESPACE)], BACKENDS)]
    match = selector(scope.system, NAME, "system")
    return policies.policy(scope.system, NAME, match, ingress=ingress, egress=egress, component="system")


def _sending(scope: Scope) -> Json:
    egress = [policies.rule("to", [policies.pods(selector(scope.system, NAME, "system"))], _ports(scope))]
    return policies.policy(scope.system, "telemetry", _senders(scope), egress=egress, component="system")


def _ports(scope: Scope) -> tuple[int, ...]:
    """Name the port that is sent to, and the one by which the mesh carries it where it takes another."""
    return (OTLP, *{"istio-ambient": (15008,), "linkerd": (4143,)}.get(scope.mesh, ()))


def _senders(scope: Scope) -> Json:
    return {SYSTEM: scope.system, COMPONENT: "service"}


def _access(scope: Scope) -> Json:
    senders = [who.principal(scope, service.name) for service in scope.plan.services]
    rule = {"from": [{"source": {"principals": senders}}], "to": [{"operation": {"ports": [str(OTLP)]}}]}
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": meta(scope.system, NAME, "system"),
        "spec": {
            "selector": {"matchLabels": selector(scope.system, NAME, "system")},
            "action": "ALLOW",
            "rules": [rule],
        },
    }
