"""Load shedding: what would only make a service slow is refused at its door, the critical last of all."""

from shoal.mesh.feature import Feature
from shoal.mesh.filters import http_filter
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json, seconds, typed
from shoal.model.plan import CallPlan, Grant, Route, ServicePlan
from shoal.model.traffic import Shedding

_FILTER = "envoy.filters.http.adaptive_concurrency"

_OFF = "envoy.config.route.v3.FilterConfig"

UPDATE = 0.1
"""Seconds over which latency is sampled before the bound moves."""

MEASURE = 60.0
"""Seconds between two measurements of the latency without load."""

SAMPLES = 25
"""Requests of one measurement, during which only the least number is let in."""

_HIGH: Json = {"route": {"priority": "HIGH"}}


def critical(scope: Scope, service: str, endpoint: str) -> bool:
    """Say whether an operation is the last to be refused."""
    found = scope.plan.system.service(service).endpoint(endpoint)
    return found is not None and found.critical


def _inbound_filters(scope: Scope, service: ServicePlan) -> list[Json]:
    rule = scope.plan.system.service(service.name).traffic
    return [] if rule.shed is None else [_shedding(rule.shed, rule.requests)]


def _shedding(rule: Shedding, most: int) -> Json:
    unloaded: Json = {"request_count": SAMPLES, "min_concurrency": rule.least, "jitter": {"value": 10}}
    unloaded |= {"fixed_value": seconds(rule.latency)} if rule.latency else {"interval": seconds(MEASURE)}
    controller = {
        "sample_aggregate_percentile": {"value": 50},
        "concurrency_limit_params": {
            "max_concurrency_limit": most,
            "concurrency_update_interval": seconds(UPDATE),
        },
        "min_rtt_calc_params": unloaded,
    }
    return http_filter(_FILTER, gradient_controller_config=controller)


def _inbound_route(scope: Scope, service: ServicePlan, grant: Grant) -> Json:
    """Let the critical pass, and streams and sockets: how long those last says nothing of how busy the service is."""
    declared = scope.plan.system.service(service.name)
    endpoint = declared.endpoint(grant.endpoint)
    vital = endpoint is not None and endpoint.critical
    goes_on = endpoint is not None and endpoint.edge.goes_on
    found = _HIGH if vital else {}
    if declared.traffic.shed is None or not (vital or goes_on):
        return found
    return found | {"typed_per_filter_config": {_FILTER: typed(_OFF, disabled=True)}}


def _outbound_route(scope: Scope, _: ServicePlan, call: CallPlan) -> Json:
    return _HIGH if critical(scope, call.service, call.endpoint) else {}


def _edge_route(scope: Scope, route: Route) -> Json:
    return _HIGH if critical(scope, route.service, route.endpoint) else {}


FEATURE = Feature(
    inbound_filters=_inbound_filters,
    inbound_route=_inbound_route,
    outbound_route=_outbound_route,
    edge_route=_edge_route,
)
"""What would only make a service slow is refused, the critical last of all."""
