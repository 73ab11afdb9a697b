"""How requests are spread over the replicas of a service, and how many may be under way."""

from shoal.mesh import routes
from shoal.mesh.feature import Feature
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json, seconds
from shoal.model.plan import Grant, ServicePlan
from shoal.model.traffic import HashBy, HealthCheck, Outliers, Traffic

RETRY_BUDGET = 10.0
"""Percent of the requests under way that may be repeats: attempts stay under 110 %."""

LONE_RETRIES = 1
"""Repeats at a time that are allowed whatever the budget says, so that a lone request is repeated as well."""

SOON = 1.0
"""Seconds, at most, after which a replica that was not ready is asked again: at first, one that begins never is."""


def _traffic(scope: Scope, service: str) -> Traffic:
    return scope.plan.system.service(service).traffic


def _bulkhead(scope: Scope, service: str) -> Json:
    """Bound what is under way; critical operations have room of their own, which the others cannot use up."""
    declared = scope.plan.system.service(service)
    found = [_thresholds(declared.traffic)]
    if any(endpoint.critical for endpoint in declared.endpoints):
        found.append(_thresholds(declared.traffic) | {"priority": "HIGH"})
    return {"circuit_breakers": {"thresholds": found}}


def _thresholds(traffic: Traffic) -> Json:
    return {
        "max_connections": traffic.connections,
        "max_pending_requests": traffic.pending,
        "max_requests": traffic.requests,
        "retry_budget": {"budget_percent": {"value": RETRY_BUDGET}, "min_retry_concurrency": LONE_RETRIES},
    }


def _replicas(scope: Scope, service: ServicePlan) -> Json:
    traffic = _traffic(scope, service.name)
    found = _bulkhead(scope, service.name) | _balance(traffic) | {"outlier_detection": _outliers(traffic.outliers)}
    if traffic.health is not None:
        found |= _health(service.name, traffic.health)
    if traffic.panic != Traffic().panic:
        found |= {"common_lb_config": {"healthy_panic_threshold": {"value": traffic.panic}}}
    return found


def _balance(traffic: Traffic) -> Json:
    """Choose between two at random, or by Maglev's table.

    Envoy's ring has as many places for two replicas as for three, so that the others' keys move too when one goes.
    """
    return {"lb_policy": "LEAST_REQUEST" if traffic.hash_by is None else "MAGLEV"}


def _health(service: str, check: HealthCheck) -> Json:
    asked = {
        "timeout": seconds(check.timeout),
        "interval": seconds(check.interval),
        "no_traffic_interval": seconds(check.interval),
        "unhealthy_interval": seconds(min(check.interval, SOON)),
        "unhealthy_threshold": check.failures,
        "healthy_threshold": check.successes,
        "http_health_check": {"path": check.path, "host": service},
    }
    return {"health_checks": [asked], "ignore_health_on_host_removal": True}


def _outliers(rule: Outliers) -> Json:
    """Rest a replica that cannot be connected to, and one that answers errors where the author wants it."""
    return {
        "split_external_local_origin_errors": True,
        "consecutive_local_origin_failure": 3,
        "enforcing_consecutive_local_origin_failure": 100,
        "enforcing_local_origin_success_rate": 0,
        **({"consecutive_5xx": rule.errors} if rule.errors else {}),
        "enforcing_consecutive_5xx": 100 if rule.errors else 0,
        "enforcing_success_rate": 0,
        "interval": seconds(min(1.0, rule.rest)),
        "base_ejection_time": seconds(rule.rest),
        "max_ejection_time": seconds(10 * rule.rest),
        "max_ejection_percent": rule.share,
    }


def _hop(scope: Scope, _: str, callee: str) -> Json:
    return _bulkhead(scope, callee)


def _inbound_route(scope: Scope, service: ServicePlan, grant: Grant) -> Json:
    key = _traffic(scope, service.name).hash_by
    policy = _hash_policy(key, grant.path) if key is not None else {}
    return {"route": {"hash_policy": [policy]}} if policy else {}


def _hash_policy(key: HashBy, path: str) -> Json:
    if key.header:
        return {"header": {"header_name": key.header}}
    if f"{{{key.parameter}}}" not in path.split("/"):
        return {}
    taken = {"pattern": {"regex": routes.capture(path, key.parameter)}, "substitution": r"\1"}
    return {"header": {"header_name": ":path", "regex_rewrite": taken}}


FEATURE = Feature(hop=_hop, replicas=_replicas, inbound_route=_inbound_route)
"""How requests are spread over the replicas of a service, and how many it takes."""
