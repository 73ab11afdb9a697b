"""Where a service sends its calls: one host for each callee, declared calls, its own certificate."""

from shoal.mesh import problems, routes
from shoal.mesh.feature import merge
from shoal.mesh.features import FEATURES
from shoal.mesh.hops import callees, hop
from shoal.mesh.manager import Entrance, Scope
from shoal.mesh.proto import Json
from shoal.model.listing import host_of
from shoal.model.plan import CallPlan, ServicePlan


def name(service: str) -> str:
    """Name the listener to which `service` sends its calls."""
    return f"outbound.{service}"


def entrance(scope: Scope, service: ServicePlan) -> Entrance:
    """Describe the outbound listener of `service`.

    The authority names the callee (``http://products/…``); ``x-envoy-upstream-rq-timeout-ms`` replaces the
    declared timeout by what is left of the caller's own.
    """
    return Entrance(
        name=name(service.name),
        address=scope.layout.outbound(service.name),
        routes=_routes(scope, service),
        filters=tuple(one for f in FEATURES for one in f.outbound_filters(scope, service)),
        mutations=({"remove": "x-forwarded-for"},),  # with one, Envoy would not believe the timeout
        manager={
            "use_remote_address": True,
            "internal_address_config": {"unix_sockets": True, "cidr_ranges": [_loopback()]},
            "server_header_transformation": "PASS_THROUGH",
            "local_reply_config": problems.inside(),
        },
        listener={"ignore_global_conn_limit": True},
    )


def _loopback() -> Json:
    return {"address_prefix": "127.0.0.0", "prefix_len": 8}


def _routes(scope: Scope, service: ServicePlan) -> Json:
    hosts = [_host(scope, service, callee) for callee in callees(service)]
    hosts.append({"name": "undeclared", "domains": ["*"], "routes": [_undeclared()]})
    return {"name": name(service.name), "virtual_hosts": hosts}


def _host(scope: Scope, service: ServicePlan, callee: str) -> Json:
    declared = routes.in_order(call for call in service.calls if call.service == callee)
    found = [_route(scope, service, call) for call in declared]
    return {"name": callee, "domains": [callee, host_of(callee)], "routes": [*found, _undeclared()]}


def _route(scope: Scope, service: ServicePlan, call: CallPlan) -> Json:
    entry = {
        "name": f"{call.service}.{call.endpoint}",
        "match": routes.matches(call),
        "route": routes.forward(hop(service.name, call.service), call.policy),
    }
    return merge(entry, *(feature.outbound_route(scope, service, call) for feature in FEATURES))


def _undeclared() -> Json:
    return routes.refuse("undeclared", {"prefix": "/"}, 403)
