"""One capability of the gateway or the mesh: what it adds, and where."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json
from shoal.model.artifact import Artifact
from shoal.model.plan import CallPlan, Grant, Route, ServicePlan


def _none(*_: object) -> tuple[()]:
    return ()


def _nothing(*_: object) -> Json:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """What one capability adds to Envoy's configuration; the additions of all are merged.

    A feature that nothing asks for, be it a declaration or the target, adds nothing, so that nobody pays for it.
    """

    edge_filters: Callable[[Scope], Iterable[Json]] = _none
    """HTTP filters of the edge; `filters.ORDER` says where each stands."""
    edge_manager: Callable[[Scope], Json] = _nothing
    """Settings of the edge's connection manager."""
    edge_host: Callable[[Scope], Json] = _nothing
    """Settings of the edge's virtual host, for what holds for every route."""
    edge_routes: Callable[[Scope], Iterable[Json]] = _none
    """Routes of its own at the edge, before all others."""
    edge_route: Callable[[Scope, Route], Json] = _nothing
    """Settings of one route of the edge."""
    inbound_filters: Callable[[Scope, ServicePlan], Iterable[Json]] = _none
    """HTTP filters where a service is called."""
    inbound_manager: Callable[[Scope, ServicePlan], Json] = _nothing
    """Settings of the connection manager where a service is called."""
    inbound_route: Callable[[Scope, ServicePlan, Grant], Json] = _nothing
    """Settings of one operation where it is served."""
    outbound_filters: Callable[[Scope, ServicePlan], Iterable[Json]] = _none
    """HTTP filters where a service calls."""
    outbound_route: Callable[[Scope, ServicePlan, CallPlan], Json] = _nothing
    """Settings of one operation where it is called."""
    hop: Callable[[Scope, str, str], Json] = _nothing
    """Settings of the cluster by which a caller (the gateway, or a service) reaches a service."""
    replicas: Callable[[Scope, ServicePlan], Json] = _nothing
    """Settings of the cluster of a service's own processes."""
    clusters: Callable[[Scope], Iterable[Json]] = _none
    """Clusters of its own."""
    files: Callable[[Scope], Iterable[Artifact]] = _none
    """Artifacts of its own; none when everything goes into one file."""


def merge(entry: Json, *additions: Json) -> Json:
    """Add settings to an entry: objects key by key, lists one after the other.

    Raises:
        ValueError: Two features give one setting different values.
    """
    for addition in additions:
        entry = {**entry, **{key: _merged(key, entry.get(key), value) for key, value in addition.items()}}
    return entry


def _merged(key: str, old: object, new: object) -> object:
    if old is None or old == new:
        return new
    if isinstance(old, dict) and isinstance(new, dict):
        return merge(old, new)
    if isinstance(old, list) and isinstance(new, list):
        return [*old, *new]
    raise ValueError(f"two features disagree about {key}: {old!r} and {new!r}")
