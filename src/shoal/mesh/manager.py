"""The HTTP connection manager: what the edge, inbound and outbound listeners have in common."""

from dataclasses import dataclass, field

from shoal.mesh import accesslog, filters, proto, windows
from shoal.mesh.layout import Address, Layout
from shoal.mesh.proto import Json, seconds, typed
from shoal.model.plan import Plan
from shoal.model.takeover import Takeover, takeovers

_MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_MUTATION = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What every part of one compilation reads."""

    plan: Plan
    layout: Layout
    static: bool = False
    """Whether everything goes into one file, for ``envoy --mode validate``."""
    patience: float = field(init=False)
    """Seconds that a silent stream is kept."""
    takeovers: tuple[Takeover, ...] = field(init=False)
    """Who answers each route of an old application."""

    def __post_init__(self) -> None:
        """Look at every timeout and every takeover once."""
        object.__setattr__(self, "patience", patience(self.plan))
        object.__setattr__(self, "takeovers", takeovers(self.plan.system, self.plan.target))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """One listener that serves HTTP."""

    name: str
    address: Address
    routes: Json
    """Its RouteConfiguration."""
    routes_apart: bool = False
    """Whether its routes are a file of their own, so that they change for connections in use as well.

    Each file that Envoy watches costs one of the user's inotify instances, of which Linux allows 128 by default;
    so it is done where others keep connections open, and not where a service calls out: it starts anew then.
    """
    filters: tuple[Json, ...] = ()
    """Without the router."""
    router: Json = field(default_factory=dict)
    mutations: tuple[Json, ...] = ()
    """Changes of the headers before Envoy reads them."""
    manager: Json = field(default_factory=dict)
    chain: Json = field(default_factory=dict)
    listener: Json = field(default_factory=dict)


def listener(scope: Scope, entrance: Entrance) -> Json:
    """Write the listener of one entrance."""
    network = {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": _manager(scope, entrance),
    }
    return {
        "name": entrance.name,
        "address": proto.address(entrance.address, listen=True),
        "filter_chains": [entrance.chain | {"filters": [network]}],
        "per_connection_buffer_limit_bytes": windows.BUFFER,
        **entrance.listener,
    }


def route_file(entrance: str) -> str:
    """Name the artifact with the routes of one entrance."""
    return f"rds/{entrance}.json"


def patience(plan: Plan) -> float:
    """Seconds that a silent stream is kept: longer than any declared timeout, which must strike first."""
    policies = [e.policy for s in plan.system.services for e in s.endpoints if not e.edge.goes_on]
    policies += [call.policy for service in plan.services for call in service.calls]
    return max([55.0, *(policy.timeout for policy in policies)]) + 5.0


def _manager(scope: Scope, entrance: Entrance) -> Json:
    router = filters.http_filter("envoy.filters.http.router", **entrance.router)
    return typed(
        _MANAGER,
        stat_prefix=entrance.name,
        **_routes(scope, entrance),
        http_filters=filters.in_order([*entrance.filters, router]),
        early_header_mutation_extensions=_mutations(entrance),
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action="REJECT_REQUEST",
        strip_any_host_port=True,
        stream_idle_timeout=seconds(scope.patience),
        **accesslog.settings(scope.layout, entrance.name),
        **{"http2_protocol_options": windows.HOP, **entrance.manager},
    )


def _routes(scope: Scope, entrance: Entrance) -> Json:
    if scope.static or not entrance.routes_apart:
        return {"route_config": entrance.routes}
    source = proto.watched(scope.layout.path(route_file(entrance.name)))
    return {"rds": {"route_config_name": entrance.name, "config_source": source}}


def _mutations(entrance: Entrance) -> list[Json]:
    if not entrance.mutations:
        return []
    name = "envoy.http.early_header_mutation.header_mutation"
    return [{"name": name, "typed_config": typed(_MUTATION, mutations=list(entrance.mutations))}]
