"""DestinationRules: how requests are spread over replicas, how many there may be, and which replicas rest."""

from shoal.deploy.kubernetes import paths
from shoal.deploy.kubernetes.naming import meta
from shoal.deploy.yaml import Json, Noted
from shoal.model.plan import ServicePlan
from shoal.model.traffic import HashBy, Outliers, Traffic

CONNECT = "1s"
"""Within which a connection is there, or another replica is tried."""


def destination(system: str, service: ServicePlan, traffic: Traffic, host: str = "") -> Json:
    """Make the DestinationRule of a service, or of one version of it, which has a host of its own."""
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": meta(system, host or service.name, owner=service.name),
        "spec": {
            "host": host or service.name,
            "trafficPolicy": {
                "tls": {"mode": "ISTIO_MUTUAL"},
                "connectionPool": Noted(
                    {
                        "tcp": {"maxConnections": traffic.connections, "connectTimeout": CONNECT},
                        "http": {
                            "http1MaxPendingRequests": traffic.pending,
                            "http2MaxRequests": traffic.requests,
                            "maxRetries": Noted(
                                max(1, traffic.requests // 10), "Repeats at a time: a tenth of all requests."
                            ),
                        },
                    },
                    "What is over it gets 503 at once.",
                ),
                "loadBalancer": _balance(traffic, near=service.near),
                "outlierDetection": _outliers(traffic.outliers, traffic.panic),
            },
        },
    }


def _balance(traffic: Traffic, *, near: bool) -> Json:
    key: HashBy | None = traffic.hash_by
    if key is not None and key.header:
        return {"consistentHash": {"httpHeaderName": key.header, "maglev": {}}}
    return {"simple": "LEAST_REQUEST", **({"localityLbSetting": {"enabled": True}} if near else {})}


def _outliers(rule: Outliers, panic: int) -> Json:
    return {
        "splitExternalLocalOriginErrors": True,
        "consecutiveLocalOriginFailures": 3,
        "consecutive5xxErrors": rule.errors,
        "consecutiveGatewayErrors": Noted(0, "Errors may be the request's fault: only what the author says counts."),
        "interval": paths.milliseconds(min(1.0, rule.rest)),
        "baseEjectionTime": paths.milliseconds(rule.rest),
        "maxEjectionPercent": rule.share,
        "minHealthPercent": panic,
    }
