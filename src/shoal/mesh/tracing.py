"""One trace per request (W3C Trace Context): continued where the client names one, begun at the edge where not."""

from collections.abc import Iterable

from shoal.mesh import filters
from shoal.mesh.accesslog import TRACE
from shoal.mesh.feature import Feature
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json, seconds, typed

COLLECTOR = "telemetry"
"""Cluster to which the edge would send its spans. It has no endpoint: they go nowhere."""

RUNTIME: Json = {"tracing.opentelemetry.min_flush_spans": 500}
"""Spans that are thrown away at once; by Envoy's default each fifth request would ask for the collector."""

_TRACER = "envoy.config.trace.v3.OpenTelemetryConfig"


def _manager(scope: Scope) -> Json:
    """Let Envoy's OpenTelemetry tracer read and write ``traceparent``."""
    service = {"envoy_grpc": {"cluster_name": COLLECTOR}, "timeout": seconds(1)}
    tracer = typed(_TRACER, service_name=f"{scope.plan.system.name}.edge", grpc_service=service)
    return {"tracing": {"provider": {"name": "envoy.tracers.opentelemetry", "typed_config": tracer}}}


def _filters(_: Scope) -> Iterable[Json]:
    """Say the trace to everyone behind, and to the edge's own refusals; nobody outside may say it for us."""
    told = {"header": {"key": TRACE, "value": "%TRACE_ID%"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
    mutations = {"request_mutations": [{"remove": TRACE}, {"append": told}]}
    return (filters.http_filter("shoal.trace", mutations=mutations),)


def _collector(_: Scope) -> Iterable[Json]:
    return ({"name": COLLECTOR, "type": "STATIC", "load_assignment": {"cluster_name": COLLECTOR}},)


FEATURE = Feature(edge_manager=_manager, edge_filters=_filters, clusters=_collector)
