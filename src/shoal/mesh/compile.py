"""Compile a plan into everything that Envoy reads."""

from functools import partial

from shoal.mesh import bootstrap, clusters, edge, inbound, manager, outbound, proto, strangler, tls, versions
from shoal.mesh.endpoints import endpoints
from shoal.mesh.features import FEATURES
from shoal.mesh.layout import Layout
from shoal.mesh.manager import Entrance, Scope
from shoal.mesh.proto import Json, typed
from shoal.model.artifact import Artifact
from shoal.model.plan import GATEWAY, Plan, ServicePlan

_LISTENER = "envoy.config.listener.v3.Listener"
_CLUSTER = "envoy.config.cluster.v3.Cluster"
_ROUTES = "envoy.config.route.v3.RouteConfiguration"
_SECRET = "envoy.extensions.transport_sockets.tls.v3.Secret"  # noqa: S105 — the name of a message

_ORDER = ("sds", "eds", "ecds", "cds", "rds", "lds", "")
"""Folders of artifacts; Envoy refuses what names a file that does not exist yet."""


def compile_mesh(plan: Plan, layout: Layout) -> tuple[Artifact, ...]:
    """Compile `plan` for one Envoy, with the listeners of `layout.served`; every artifact belongs below `layout.root`.

    They come in the order in which a running Envoy wants them: what is named before what names it. Every
    service starts without replicas; `endpoints` writes them, so leave ``eds/`` of the services that already
    run as it is. Envoy wants the directories of `layout.directories`, the certificates and (with an issuer)
    the JWKS before it starts.
    """
    scope = Scope(plan=plan, layout=layout)
    entrances = _entrances(scope)
    found = [
        bootstrap.dynamic(scope),
        proto.discovery(bootstrap.LISTENERS, [typed(_LISTENER, **manager.listener(scope, e)) for e in entrances]),
        proto.discovery(bootstrap.CLUSTERS, [typed(_CLUSTER, **cluster) for cluster in _clusters(scope)]),
    ]
    apart = [e for e in entrances if e.routes_apart]
    found += [proto.discovery(manager.route_file(e.name), [typed(_ROUTES, **e.routes)]) for e in apart]
    found += [artifact for feature in FEATURES for artifact in feature.files(scope)]
    found += [endpoints(service.name, ()) for service in plan.services]
    found += [
        proto.discovery(tls.secret_file(name), [typed(_SECRET, **secret)])
        for name, secret in tls.secrets(scope).items()
    ]
    return tuple(sorted(found, key=_place))


def compile_static(plan: Plan, layout: Layout) -> Artifact:
    """Compile the same configuration into one file, for ``envoy --mode validate``.

    Envoy does not look into the files that a bootstrap points to; in this one it checks everything.
    """
    scope = Scope(plan=plan, layout=layout, static=True)
    return bootstrap.static(scope, [manager.listener(scope, e) for e in _entrances(scope)], _clusters(scope))


def _place(artifact: Artifact) -> tuple[int, str]:
    folder, _, _ = artifact.path.rpartition("/")
    return _ORDER.index(folder), artifact.path


def _entrances(scope: Scope) -> list[Entrance]:
    found = [edge.entrance(scope)] if GATEWAY in scope.layout.served else []
    for service in _served(scope):
        found += [inbound.entrance(scope, service), outbound.entrance(scope, service)]
    return [*found, *strangler.entrances(scope, partial(edge.route, scope))]


def _served(scope: Scope) -> list[ServicePlan]:
    return [service for service in scope.plan.services if service.name in scope.layout.served]


def _clusters(scope: Scope) -> list[Json]:
    first = [(service, clusters.replicas(scope, service)) for service in _served(scope)]
    found = [cluster for _, cluster in first] + clusters.hops(scope)
    found += [second for service, cluster in first for second in versions.second(scope, service, cluster)]
    found += strangler.clusters(scope)
    return found + [cluster for feature in FEATURES for cluster in feature.clusters(scope)]
