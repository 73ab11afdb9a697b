"""Where requests go: the replicas of a service, and the mTLS hop to another one."""

from shoal.mesh import proto, tls, upstream
from shoal.mesh.endpoints import assignment, endpoint_file
from shoal.mesh.feature import merge
from shoal.mesh.features import FEATURES
from shoal.mesh.hops import callees, hop
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json
from shoal.model.plan import GATEWAY, ServicePlan


def replicas(scope: Scope, service: ServicePlan) -> Json:
    """Reach the processes of one service."""
    cluster = upstream.to_application(service.name)
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
    cluster = upstream.to_listener(name)
    cluster = merge(cluster, *(feature.hop(scope, caller, callee) for feature in FEATURES))
    return cluster | {
        "type": "STATIC",
        "load_assignment": assignment(name, (scope.layout.inbound(callee),)),
        "transport_socket": tls.client(scope, caller, scope.plan.service(callee).identity),
    }


def _direct(scope: Scope, caller: str, callee: str) -> Json:
    """Reach the processes of a service where nothing stands before them."""
    return replicas(scope, scope.plan.service(callee)) | {"name": hop(caller, callee)}
