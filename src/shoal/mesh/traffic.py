"""How requests are spread over the replicas of a service, and how many may be under way."""

from shoal.mesh.feature import Feature
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json
from shoal.model.plan import ServicePlan
from shoal.model.traffic import Traffic

RETRY_BUDGET = 10.0
"""Percent of the requests under way that may be repeats: attempts stay under 110 %."""


def _bulkhead(traffic: Traffic) -> Json:
    thresholds = {
        "max_connections": traffic.connections,
        "max_pending_requests": traffic.pending,
        "max_requests": traffic.requests,
        "retry_budget": {"budget_percent": {"value": RETRY_BUDGET}, "min_retry_concurrency": 3},
    }
    return {"circuit_breakers": {"thresholds": [thresholds]}}


def _replicas(scope: Scope, service: ServicePlan) -> Json:
    return _bulkhead(scope.plan.system.service(service.name).traffic) | {"lb_policy": "LEAST_REQUEST"}


def _hop(scope: Scope, _: str, callee: str) -> Json:
    return _bulkhead(scope.plan.system.service(callee).traffic)


FEATURE = Feature(hop=_hop, replicas=_replicas)
