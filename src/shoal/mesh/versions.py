"""Two versions of one service side by side, divided where the service is called.

The split belongs to the inbound listener, so that requests of the gateway and of services are divided alike, and to
routes, which change without any connection being closed.
"""

from collections.abc import Iterator

from shoal.mesh import proto, routes
from shoal.mesh.endpoints import assignment, endpoint_file, endpoints
from shoal.mesh.feature import Feature, merge
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json
from shoal.model.artifact import Artifact
from shoal.model.plan import Route, ServicePlan
from shoal.model.rollout import STABLE, VERSION_HEADER, Split, version_name
from shoal.model.service import Policy

_ANY = Policy()
"""The route has its own."""


def split_of(scope: Scope, service: str) -> Split | None:
    """Find how the requests of a service are divided; None when one version gets them all."""
    return scope.plan.target.splits.get(service)


def divided(scope: Scope, service: ServicePlan, entry: Json) -> Iterator[Json]:
    """Divide one inbound route: who names a version gets that one, where the split honours it; then by weight."""
    split = split_of(scope, service.name)
    if split is None:
        yield entry
        return
    fresh = version_name(service.name, split.version)
    if split.override != "nobody":
        for version, cluster in ((split.version, fresh), (STABLE, service.name)):
            match = routes.with_header(entry["match"], VERSION_HEADER, version)
            yield _to(entry, {cluster: 1}) | {"match": match}
    usual = _to(entry, {service.name: 100.0 - split.weight, fresh: split.weight})
    if split.mirror and not split.weight and _reads(entry):
        usual = merge(usual, {"route": routes.mirror(fresh, split.mirror)})
    yield usual


def _reads(entry: Json) -> bool:
    """Say whether a route is for GET alone, which changes nothing and can be copied."""
    methods = [header["string_match"]["exact"] for header in entry["match"]["headers"] if header["name"] == ":method"]
    return methods == ["GET"]


def second(scope: Scope, service: ServicePlan, cluster: Json) -> Iterator[Json]:
    """Write the cluster of the second version: as the first one's, with other replicas."""
    split = split_of(scope, service.name)
    if split is None:
        return
    name = version_name(service.name, split.version)
    if scope.static:
        yield cluster | {"name": name, "load_assignment": assignment(name, ())}
        return
    source = proto.watched(scope.layout.path(endpoint_file(name)))
    yield cluster | {"name": name, "eds_cluster_config": {"service_name": name, "eds_config": source}}


def _to(entry: Json, shares: dict[str, float]) -> Json:
    """Send a route elsewhere, with all else as it was."""
    rest = {key: value for key, value in entry["route"].items() if key != "cluster"}
    used = {cluster: part for cluster, part in shares.items() if part > 0}
    if len(used) == 1:
        return entry | {"route": {"cluster": next(iter(used)), **rest}}
    return entry | {"route": {**routes.weighted(used, _ANY), **rest}}


def _edge_host(scope: Scope) -> Json:
    """Let nobody outside choose a version, unless some service honours it from outside."""
    return {} if _from_outside(scope) else {"request_headers_to_remove": [VERSION_HEADER]}


def _edge_route(scope: Scope, route: Route) -> Json:
    outside = _from_outside(scope)
    return {"request_headers_to_remove": [VERSION_HEADER]} if outside and route.service not in outside else {}


def _from_outside(scope: Scope) -> set[str]:
    return {service for service, split in scope.plan.target.splits.items() if split.override == "anyone"}


def _files(scope: Scope) -> list[Artifact]:
    names = [version_name(service, split.version) for service, split in scope.plan.target.splits.items()]
    return [endpoints(name, ()) for name in names]


FEATURE = Feature(edge_host=_edge_host, edge_route=_edge_route, files=_files)
