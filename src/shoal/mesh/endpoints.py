"""The replicas of a service, as one file that is replaced while requests flow (EDS)."""

from collections.abc import Collection, Sequence

from shoal.mesh import proto
from shoal.mesh.layout import Address
from shoal.mesh.proto import Json, typed
from shoal.model.artifact import Artifact

_ASSIGNMENT = "envoy.config.endpoint.v3.ClusterLoadAssignment"


def endpoints(service: str, replicas: Sequence[Address], zones: Sequence[str] = (), *, near: str = "") -> Artifact:
    """List the replicas of `service` that take requests; without any, callers get 503.

    Args:
        service: Whose.
        replicas: Where they are.
        zones: The zone of each, where there are several.
        near: The zone whose replicas come before all others; empty treats them alike.

    Write the file beside its place and rename it: Envoy reads on renames. Requests in flight on a replica
    that is taken out end normally.
    """
    found = assignment(service, replicas, zones, near=near)
    return proto.discovery(endpoint_file(service), [typed(_ASSIGNMENT, **found)])


def endpoint_file(service: str) -> str:
    """Name the artifact with the replicas of one service."""
    return f"eds/{service}.json"


def assignment(cluster: str, addresses: Sequence[Address], zones: Sequence[str] = (), *, near: str = "") -> Json:
    """Write the addresses of a cluster, zone by zone."""
    by_zone: dict[str, list[Json]] = {}
    for address, zone in zip(addresses, zones or ("",) * len(addresses), strict=True):
        by_zone.setdefault(zone, []).append({"endpoint": {"address": proto.address(address)}})
    found = [_locality(zone, hosts) | _priority(zone, near, by_zone) for zone, hosts in sorted(by_zone.items())]
    return {"cluster_name": cluster, "endpoints": found}


def _locality(zone: str, hosts: list[Json]) -> Json:
    return {"lb_endpoints": hosts} | ({"locality": {"zone": zone}} if zone else {})


def _priority(zone: str, near: str, present: Collection[str]) -> Json:
    """Put the near zone first; Envoy wants priorities without gaps, so the others are first where it is missing."""
    return {"priority": 1} if near in present and zone != near else {}
