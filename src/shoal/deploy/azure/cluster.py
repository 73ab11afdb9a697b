"""A cluster of Kubernetes with Istio, for who runs there what ``shoal deploy kubernetes`` writes."""

from collections.abc import Iterator

from shoal.deploy.azure.resources import Cluster
from shoal.deploy.azure.scope import Scope
from shoal.deploy.cloud.resource import Resource

GROWTH = 3
"""How many times the nodes at rest there may be."""


def make(scope: Scope) -> Iterator[Resource]:
    """Make it where it is asked for."""
    if not scope.apps:
        engines = scope.environment.engines
        yield Cluster(
            name="main", node=engines.node, least=engines.nodes, most=GROWTH * engines.nodes,
            protected=scope.environment.protected,
            why="Services are who they are by their accounts in it (workload identity); Istio is Azure's add-on.",
        )  # fmt: skip
