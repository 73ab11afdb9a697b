"""The replicas of a service, as one file that is replaced while requests flow (EDS)."""

from collections.abc import Sequence

from shoal.mesh import proto
from shoal.mesh.layout import Address
from shoal.mesh.proto import Json, typed
from shoal.model.artifact import Artifact

_ASSIGNMENT = "envoy.config.endpoint.v3.ClusterLoadAssignment"


def endpoints(service: str, replicas: Sequence[Address]) -> Artifact:
    """List the replicas of `service` that take requests; without any, callers get 503.

    Write the file beside its place and rename it: Envoy reads on renames. Requests in flight on a replica
    that is taken out end normally.
    """
    return proto.discovery(endpoint_file(service), [typed(_ASSIGNMENT, **assignment(service, replicas))])


def endpoint_file(service: str) -> str:
    """Name the artifact with the replicas of one service."""
    return f"eds/{service}.json"


def assignment(cluster: str, addresses: Sequence[Address]) -> Json:
    """Write the addresses of a cluster."""
    hosts = [{"endpoint": {"address": proto.address(each)}} for each in addresses]
    return {"cluster_name": cluster, "endpoints": [{"lb_endpoints": hosts}] if hosts else []}
