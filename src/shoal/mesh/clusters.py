"""Where requests go: the replicas of a service, and the mTLS hop to another one."""

from shoal.mesh import proto, tls
from shoal.mesh.endpoints import assignment, endpoint_file
from shoal.mesh.feature import merge
from shoal.mesh.features import FEATURES
from shoal.mesh.hops import callees, hop
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json, seconds
from shoal.model.plan import GATEWAY, ServicePlan

_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

CONNECT_TIMEOUT = 1.0
"""Seconds to connect; every address is on this machine."""

APPLICATION_IDLE = 4.0
"""Seconds that an idle connection to an application is kept: less than the 5 s after which uvicorn closes
it by default, or a request could meet the closing connection."""

HOP_LIFE = 3600.0
"""Seconds that a connection between listeners is used: it hardly outlives the certificates that were shown."""

HOP_IDLE = 300.0
"""Seconds that an idle connection between listeners is kept."""


def replicas(scope: Scope, service: ServicePlan) -> Json:
    """Reach the processes of one service."""
    cluster = _cluster(service.name, _protocol("http_protocol_options", APPLICATION_IDLE))
    cluster = merge(cluster, *(feature.replicas(scope, service) for feature in FEATURES))
    if scope.static:
        return cluster | {"type": "STATIC", "load_assignment": assignment(service.name, ())}
    source = proto.watched(scope.layout.path(endpoint_file(service.name)))
    return cluster | {
        "type": "EDS",
        "eds_cluster_config": {"service_name": service.name, "eds_config": source},
    }


def hops(scope: Scope) -> list[Json]:
    """Reach every declared callee: from the gateway, then from each service."""
    routed = sorted({route.service for route in scope.plan.routes}) if GATEWAY in scope.layout.served else []
    reach = _direct if scope.plan.target.mesh == "off" else _hop
    found = [reach(scope, GATEWAY, callee) for callee in routed]
    for service in (s for s in scope.plan.services if s.name in scope.layout.served):
        found += [_hop(scope, service.name, callee) for callee in callees(service)]
    return found


def _hop(scope: Scope, caller: str, callee: str) -> Json:
    name = hop(caller, callee)
    cluster = _cluster(name, _protocol("http2_protocol_options", HOP_IDLE, max_connection_duration=seconds(HOP_LIFE)))
    cluster = merge(cluster, *(feature.hop(scope, caller, callee) for feature in FEATURES))
    return cluster | {
        "type": "STATIC",
        "load_assignment": assignment(name, (scope.layout.inbound(callee),)),
        "transport_socket": tls.client(scope, caller, scope.plan.service(callee).identity),
    }


def _direct(scope: Scope, caller: str, callee: str) -> Json:
    """Reach the processes of a service where nothing stands before them."""
    return replicas(scope, scope.plan.service(callee)) | {"name": hop(caller, callee)}


def _cluster(name: str, protocol: Json) -> Json:
    return {
        "name": name,
        "connect_timeout": seconds(CONNECT_TIMEOUT),
        "typed_extension_protocol_options": {_HTTP: protocol},
    }


def _protocol(version: str, idle: float, **further: str) -> Json:
    return proto.typed(
        _HTTP,
        common_http_protocol_options={"idle_timeout": seconds(idle), **further},
        explicit_http_config={version: {}},
    )
