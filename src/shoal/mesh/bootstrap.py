"""What Envoy is started with."""

from shoal.mesh import hardening, proto, sharing, tls, tracing
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json
from shoal.model.artifact import Artifact

BOOTSTRAP = "bootstrap.json"
"""Start Envoy with this: ``envoy -c bootstrap.json --disable-hot-restart``."""

STATIC = "static.json"
"""The same configuration in one file, which ``envoy --mode validate`` checks as a whole."""

LISTENERS = "lds/listeners.json"
CLUSTERS = "cds/clusters.json"


def dynamic(scope: Scope) -> Artifact:
    """Print the bootstrap that reads listeners and clusters from their files."""
    sources = {
        "lds_config": proto.watched(scope.layout.path(LISTENERS)),
        "cds_config": proto.watched(scope.layout.path(CLUSTERS)),
    }
    found = _common(scope) | {"dynamic_resources": sources}
    if peers := sharing.peers(scope):
        found["static_resources"] = {"clusters": peers}
    return proto.document(BOOTSTRAP, found)


def static(scope: Scope, listeners: list[Json], clusters: list[Json]) -> Artifact:
    """Print everything as one file."""
    secrets = list(tls.secrets(scope).values())
    resources = {"listeners": listeners, "clusters": clusters + sharing.peers(scope), "secrets": secrets}
    return proto.document(STATIC, _common(scope) | {"static_resources": resources})


def _common(scope: Scope) -> Json:
    system = scope.plan.system.name
    return {
        "node": {"id": f"{system}.mesh", "cluster": system},
        "admin": {"address": proto.address(scope.layout.admin(), listen=True)},
        "layered_runtime": {
            "layers": [
                {"name": "edge", "static_layer": hardening.runtime() | tracing.RUNTIME},
                {"name": "admin", "admin_layer": {}},
            ]
        },
        "overload_manager": hardening.overload(),
        **sharing.membership(scope),
    }
