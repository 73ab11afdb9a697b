"""Services: one name for the replicas of a service."""

from collections.abc import Mapping

from shoal.deploy.kubernetes.naming import HTTP, PORT, Component, labels, selector
from shoal.deploy.yaml import Json


def service(
    system: str,
    name: str,
    *,
    component: Component = "service",
    ports: Mapping[str, int] | None = None,
    headless: bool = False,
) -> Json:
    """Make a Service; HTTP on its one port when no ports are named. `headless` gives each pod a name."""
    found = ports or {HTTP: PORT}
    owner = name.removesuffix("-peers") if component == "engine" else name
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": labels(system, owner, component)},
        "spec": {
            **({"clusterIP": "None", "publishNotReadyAddresses": True} if headless else {"type": "ClusterIP"}),
            "selector": selector(system, owner, component),
            "ports": [
                {
                    "name": port,
                    "port": number,
                    "targetPort": port,
                    "protocol": "TCP",
                    "appProtocol": "http" if port in (HTTP, "monitoring") else "tcp",
                }
                for port, number in found.items()
            ],
        },
    }
