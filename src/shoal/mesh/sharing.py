"""Limits that several gateways share: each lets its part through, and is told how many they are.

Envoy belongs to a cluster whose members are the gateways; a request takes as many tokens from a shared bucket as it has
members. Nothing is asked on the way, and a gateway that comes or goes changes the parts without filling a bucket.
"""

from shoal.mesh import proto
from shoal.mesh.endpoints import assignment, endpoint_file, endpoints
from shoal.mesh.feature import Feature
from shoal.mesh.layout import Pipe
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json, seconds
from shoal.model.artifact import Artifact
from shoal.model.plan import GATEWAY


def gateways(count: int) -> Artifact:
    """Say how many gateways there are; write the file as `endpoints` says."""
    return endpoints(GATEWAY, _members(count))


def wanted(scope: Scope) -> bool:
    """Tell whether this Envoy is a gateway with a shared limit."""
    limits = [route.edge.limit for route in scope.plan.routes]
    return GATEWAY in scope.layout.served and any(limit is not None and limit.shared is True for limit in limits)


def membership(scope: Scope) -> Json:
    """Write what the bootstrap says of it; Envoy wants it there, so the first shared limit comes with a start."""
    return {"cluster_manager": {"local_cluster_name": GATEWAY}} if wanted(scope) else {}


def peers(scope: Scope) -> list[Json]:
    """Write the cluster of the gateways. Nobody is called by it: its members are only counted."""
    if not wanted(scope):
        return []
    cluster: Json = {"name": GATEWAY, "connect_timeout": seconds(1)}
    if scope.static:
        return [cluster | {"type": "STATIC", "load_assignment": assignment(GATEWAY, _members(1))}]
    source = proto.watched(scope.layout.path(endpoint_file(GATEWAY)))
    return [cluster | {"type": "EDS", "eds_cluster_config": {"service_name": GATEWAY, "eds_config": source}}]


def _members(count: int) -> list[Pipe]:
    return [Pipe(path=f"/gateway/{number}") for number in range(count)]


def _files(scope: Scope) -> tuple[Artifact, ...]:
    return (gateways(1),) if wanted(scope) else ()


FEATURE = Feature(files=_files)
