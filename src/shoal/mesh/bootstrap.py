"""What Envoy is started with."""

from shoal.mesh import proto, tls
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json, typed
from shoal.model.artifact import Artifact

BOOTSTRAP = "bootstrap.json"
"""Start Envoy with this: ``envoy -c bootstrap.json --disable-hot-restart``."""

STATIC = "static.json"
"""The same configuration in one file, which ``envoy --mode validate`` checks as a whole."""

LISTENERS = "lds/listeners.json"
CLUSTERS = "cds/clusters.json"

HEAP_LIMIT = 1024**3
"""Bytes of memory at which Envoy stops to accept requests."""

CONNECTION_LIMIT = 10_000
"""Connections from outside at one time."""

_MONITORS = "envoy.extensions.resource_monitors"


def dynamic(scope: Scope) -> Artifact:
    """Print the bootstrap that reads listeners and clusters from their files."""
    sources = {
        "lds_config": proto.watched(scope.layout.path(LISTENERS)),
        "cds_config": proto.watched(scope.layout.path(CLUSTERS)),
    }
    return proto.document(BOOTSTRAP, _common(scope) | {"dynamic_resources": sources})


def static(scope: Scope, listeners: list[Json], clusters: list[Json]) -> Artifact:
    """Print everything as one file."""
    secrets = list(tls.secrets(scope).values())
    resources = {"listeners": listeners, "clusters": clusters, "secrets": secrets}
    return proto.document(STATIC, _common(scope) | {"static_resources": resources})


def _common(scope: Scope) -> Json:
    system = scope.plan.system.name
    return {
        "node": {"id": f"{system}.mesh", "cluster": system},
        "admin": {"address": proto.address(scope.layout.admin(), listen=True)},
        "layered_runtime": {
            "layers": [{"name": "edge", "static_layer": hardening.runtime()}, {"name": "admin", "admin_layer": {}}]
        },
        "overload_manager": hardening.overload(),
    }


def _overload() -> Json:
    return {
        "refresh_interval": proto.seconds(0.25),
        "resource_monitors": [
            _monitor("fixed_heap", "fixed_heap.v3.FixedHeapConfig", max_heap_size_bytes=HEAP_LIMIT),
            _monitor(
                "global_downstream_max_connections",
                "downstream_connections.v3.DownstreamConnectionsConfig",
                max_active_downstream_connections=CONNECTION_LIMIT,
            ),
        ],
        "actions": [
            _action("shrink_heap", 0.90),
            _action("stop_accepting_requests", 0.95),
        ],
    }


def _monitor(name: str, message: str, **settings: int) -> Json:
    config = typed(f"{_MONITORS}.{message}", **settings)
    return {"name": f"envoy.resource_monitors.{name}", "typed_config": config}


def _action(name: str, share: float) -> Json:
    trigger = {"name": "envoy.resource_monitors.fixed_heap", "threshold": {"value": share}}
    return {"name": f"envoy.overload_actions.{name}", "triggers": [trigger]}
