"""The one door from outside: what Envoy advises for an edge, tokens, and only the declared routes."""

import functools

from shoal.mesh import api_versions, hardening, narrowing, problems, routes, security, strangler, tls
from shoal.mesh.feature import merge
from shoal.mesh.features import FEATURES
from shoal.mesh.hops import hop
from shoal.mesh.manager import Entrance, Scope
from shoal.mesh.proto import Json, seconds
from shoal.model.plan import GATEWAY, Route
from shoal.model.service import RESERVED_PATHS, Policy
from shoal.model.untrusted import OURS, UNTRUSTED

EDGE = "edge"
"""Name of the listener."""

_NOBODY = [{"address_prefix": "255.255.255.255", "prefix_len": 32}]
"""Envoy takes an empty list of internal addresses for all private ones, loopback included."""

_CLIENT = {
    "header": {"key": "x-forwarded-for", "value": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"},
    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
}
"""The client's address, alone. Envoy's own would name this machine's address for a client on loopback."""

LEAKS = ("x-envoy-upstream-service-time", "x-envoy-decorator-operation", "x-envoy-overloaded", "x-powered-by")
"""Headers of answers that tell of the inside."""


def entrance(scope: Scope) -> Entrance:
    """Describe the edge listener."""
    dropped: list[Json] = [{"remove_on_match": {"key_matcher": {"prefix": ours}}} for ours in OURS]
    dropped += [{"remove": name} for name in UNTRUSTED]
    return Entrance(
        name=EDGE,
        address=scope.layout.edge(),
        routes=_routes(scope),
        routes_apart=True,
        filters=_filters(scope),
        mutations=tuple(dropped),
        manager=_manager(scope),
        chain=tls.edge(scope),
        listener={
            "enable_reuse_port": False,  # with it, a second system would silently share a busy port
            "connection_balance_config": {"exact_balance": {}},
        }
        | hardening.listener(),
    )


def _manager(scope: Scope) -> Json:
    settings: Json = hardening.connections() | {
        "internal_address_config": {"cidr_ranges": _NOBODY},
        "skip_xff_append": True,
        "server_name": scope.plan.system.name,
        "forward_client_cert_details": "SANITIZE",
        "local_reply_config": problems.at_edge(security.headers(scope.plan)),
    }
    return merge(settings, *(feature.edge_manager(scope) for feature in FEATURES))


def _filters(scope: Scope) -> tuple[Json, ...]:
    return tuple(one for feature in FEATURES for one in feature.edge_filters(scope))


def _routes(scope: Scope) -> Json:
    ordered = strangler.served(scope)
    found = [own for feature in FEATURES for own in feature.edge_routes(scope)]
    found += [_compressed(), *_reserved(routes.in_order([*scope.plan.aliases, *scope.plan.routes]))]
    found += strangler.written(scope, functools.partial(route, scope))
    found += [*narrowing.unmet(scope.plan), *routes.wrong_methods(ordered), _upgrades()]
    host = {"name": EDGE, "domains": ["*"], "routes": found}
    return {
        "name": EDGE,
        "virtual_hosts": [merge(host, *(feature.edge_host(scope) for feature in FEATURES))],
        "request_headers_to_add": [_CLIENT],
        "request_headers_to_remove": ["x-envoy-external-address"],
        "response_headers_to_remove": list(LEAKS),
    }


def _compressed() -> Json:
    """Refuse compressed requests, naming the form that is accepted (RFC 9110, 12.5.3): their size says little."""
    coding = {"name": "content-encoding", "present_match": True}
    identity = {"exact": "identity", "ignore_case": True}
    other = {"name": "content-encoding", "string_match": identity, "invert_match": True}
    refused = routes.refuse("compressed", {"prefix": "/", "headers": [coding, other]}, 415)
    accepted = {"header": {"key": "accept-encoding", "value": "identity"}}
    return refused | {"response_headers_to_add": [accepted]}


def _upgrades() -> Json:
    """Match upgrades that lead nowhere: without a route, Envoy would wait for the rest of the request."""
    return routes.refuse("no socket", {"prefix": "/", "headers": [{"name": "upgrade", "present_match": True}]}, 403)


def _reserved(exposed: list[Route]) -> list[Json]:
    """Keep what services tell of themselves inside, where a template such as ``/{page}`` would let it out."""
    found = [routes.outside(one, path) for one in exposed for path in RESERVED_PATHS if "{" in one.path]
    let_out = sorted({path for path in found if path is not None})
    return [routes.refuse(f"reserved {path}", routes.matches_path(path), 404) for path in let_out]


def route(scope: Scope, declared: Route) -> Json:
    """Write a declared route, with everything that its endpoint asks of the edge."""
    if (refused := api_versions.refusal(declared)) is not None:
        return refused
    repeated = declared.method == "GET" and declared.policy.attempts > 1
    retries = {"retry_policy": _retries(declared.policy)} if repeated else {}
    entry = {
        "name": f"{declared.service}.{declared.endpoint}",
        "match": routes.matches(declared),
        "route": routes.forward(hop(GATEWAY, declared.service), declared.policy, **retries),
    }
    return merge(entry, *(feature.edge_route(scope, declared) for feature in FEATURES))


def _retries(policy: Policy) -> Json:
    """Repeat by the route's policy, as any caller does; only GET, which changes nothing."""
    return {
        "retry_on": "reset,connect-failure,refused-stream,retriable-status-codes",
        "retriable_status_codes": [503],
        "num_retries": policy.attempts - 1,
        "retry_back_off": {"base_interval": seconds(max(policy.backoff, 0.001))},
    }
