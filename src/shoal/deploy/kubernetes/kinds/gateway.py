"""Gateways of Gateway API: the door from outside, and waypoints inside a mesh."""

from collections.abc import Sequence

from shoal.deploy.kubernetes.naming import Component, labels
from shoal.deploy.yaml import Json


def gateway(
    system: str, name: str, kind: str, listeners: Sequence[Json], component: Component = "edge", **marks: str
) -> Json:
    """Make a Gateway of a class; `marks` are further labels."""
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": name, "labels": {**labels(system, name, component), **marks}},
        "spec": {"gatewayClassName": kind, "listeners": list(listeners)},
    }


def https(name: str, host: str, certificate: str) -> Json:
    """Listen for one host by TLS."""
    return {
        "name": name,
        "hostname": host,
        "port": 443,
        "protocol": "HTTPS",
        "tls": {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "name": certificate}]},
        "allowedRoutes": {"namespaces": {"from": "Same"}},
    }
