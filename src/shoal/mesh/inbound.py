"""Where a service is called: mTLS, the declared callers, the rest of the caller's time."""

from shoal.mesh import access, problems, routes, tls, versions, windows
from shoal.mesh.feature import merge
from shoal.mesh.features import FEATURES
from shoal.mesh.manager import Entrance, Scope
from shoal.mesh.proto import Json, seconds
from shoal.model.plan import Grant, ServicePlan

_ANYWHERE = [{"address_prefix": "0.0.0.0", "prefix_len": 0}, {"address_prefix": "::", "prefix_len": 0}]  # noqa: S104

_LOOPBACK = {"header": {"key": "x-forwarded-for", "value": "127.0.0.1"}, "append_action": "ADD_IF_ABSENT"}
"""Envoy believes ``x-envoy-expected-rq-timeout-ms`` only of a request with exactly one known address.
Those of the edge have the client's; those of services have none."""


def name(service: str) -> str:
    """Name the listener on which `service` is called."""
    return f"inbound.{service}"


def entrance(scope: Scope, service: ServicePlan) -> Entrance:
    """Describe the inbound listener of `service`.

    Everyone who got through the handshake is one of the system, so its deadline is believed.
    """
    return Entrance(
        name=name(service.name),
        address=scope.layout.inbound(service.name),
        routes=_routes(scope, service),
        routes_apart=True,
        filters=(access.default_deny(), *(one for f in FEATURES for one in f.inbound_filters(scope, service))),
        router={"respect_expected_rq_timeout": True},
        mutations=({"append": _LOOPBACK},),
        manager=_manager(scope, service),
        chain={"transport_socket": tls.server(scope, service.name)},
        listener={"ignore_global_conn_limit": True},
    )


def _manager(scope: Scope, service: ServicePlan) -> Json:
    settings: Json = {
        "use_remote_address": False,
        "internal_address_config": {"cidr_ranges": _ANYWHERE},
        "forward_client_cert_details": "SANITIZE_SET",
        "set_current_client_cert_details": {"uri": True},
        "server_header_transformation": "PASS_THROUGH",
        "local_reply_config": problems.inside(),
    }
    return merge(settings, *(feature.inbound_manager(scope, service) for feature in FEATURES))


def _routes(scope: Scope, service: ServicePlan) -> Json:
    entries = [_route(scope, service, grant) for grant in routes.in_order(service.grants)]
    found = [one for entry in entries for one in versions.divided(scope, service, entry)]
    host = {
        "name": service.name,
        "domains": ["*"],
        "routes": found,
        "retry_policy": _retries(),
        "request_body_buffer_limit": windows.REPEATED,
    }
    return {"name": name(service.name), "virtual_hosts": [host]}


def _route(scope: Scope, service: ServicePlan, grant: Grant) -> Json:
    """Route one operation, also without callers: or a template could take its requests."""
    entry = {
        "name": f"{service.name}.{grant.endpoint}",
        "match": routes.matches(grant),
        "route": routes.forward(service.name, grant.policy),
        "typed_per_filter_config": access.allow(grant),
    }
    return merge(entry, *(feature.inbound_route(scope, service, grant) for feature in FEATURES))


def _retries() -> Json:
    """Repeat, on another replica, only what no application can have seen.

    Repeating what may have been seen is the caller's choice, by its policy: one layer decides that.
    """
    return {
        "retry_on": "connect-failure,refused-stream,reset-before-request",
        "num_retries": 3,
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
                },
            }
        ],
        "host_selection_retry_max_attempts": 3,
        "retry_back_off": {"base_interval": seconds(0.01), "max_interval": seconds(0.1)},
    }
