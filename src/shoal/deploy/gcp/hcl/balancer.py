"""The balancer that clients call, by HTTPS only, and its firewall."""

import re
from collections.abc import Iterator, Sequence

from shoal.deploy.cloud.hcl import resource
from shoal.deploy.cloud.switches import after
from shoal.deploy.gcp.hcl.context import Context
from shoal.deploy.gcp.resources import Door, Reached, Route
from shoal.deploy.terraform.values import Block, Raw, Value, block, items
from shoal.model.service import closeness
from shoal.model.untrusted import UNTRUSTED

_GROUP = "google_compute_region_network_endpoint_group"

EACH, OVER = 2000, 300
"""Requests that one address may send within so many seconds, whatever it asks."""


def door(one: Door, context: Context) -> Iterator[Block]:
    """Write the balancer that clients call."""
    name = context.scope.system
    why = "The names of hosts point to it."
    kept = [block("lifecycle", prevent_destroy=True)] if one.region and context.scope.environment.protected else []
    yield resource("google_compute_global_address", "door", *items({"name": f"{name}-door"}, *kept), notes=(why,))
    if one.firewall:
        yield _firewall(one, name)
    for service in sorted({route.service for route in one.routes}):
        yield from backend(service, service, "EXTERNAL_MANAGED", context, firewall=one.firewall, first=one.region)
    yield _routes(one, context)
    domains = block("managed", domains=[*one.hosts])
    yield resource("google_compute_managed_ssl_certificate", "door", *items({"name": f"{name}-door"}, domains))
    policy: dict[str, Value] = {"name": f"{name}-door", "profile": "MODERN", "min_tls_version": "TLS_1_2"}
    yield resource("google_compute_ssl_policy", "door", *items(policy))
    secure: dict[str, Value] = {
        "name": f"{name}-door",
        "url_map": Raw("google_compute_url_map.door.id"),
        "ssl_certificates": [Raw("google_compute_managed_ssl_certificate.door.id")],
        "ssl_policy": Raw("google_compute_ssl_policy.door.id"),
    }
    yield resource("google_compute_target_https_proxy", "door", *items(secure))
    yield _listens("door", "443", "google_compute_target_https_proxy.door.id", name)
    away = block("default_url_redirect", https_redirect=True, strip_query=False)
    yield resource("google_compute_url_map", "plain", *items({"name": f"{name}-plain"}, away))
    plain: dict[str, Value] = {"name": f"{name}-plain", "url_map": Raw("google_compute_url_map.plain.id")}
    yield resource("google_compute_target_http_proxy", "plain", *items(plain))
    yield _listens("plain", "80", "google_compute_target_http_proxy.plain.id", name)


def _listens(which: str, port: str, target: str, name: str) -> Block:
    arguments: dict[str, Value] = {
        "name": f"{name}-{which}",
        "target": Raw(target),
        "port_range": port,
        "ip_address": Raw("google_compute_global_address.door.id"),
        "load_balancing_scheme": "EXTERNAL_MANAGED",
    }
    return resource("google_compute_global_forwarding_rule", which, *items(arguments))


def reached(one: Reached, context: Context) -> Iterator[Block]:
    """Write how a balancer finds a service that belongs to another root module."""
    yield _group(one.name, one.name, context, notes=context.notes(one))


def _group(name: str, service: str, context: Context, notes: tuple[str, ...] = ()) -> Block:
    """Write the group that stands for a service (a serverless NEG)."""
    place: dict[str, Value] = {
        "name": name, "region": context.scope.environment.region, "network_endpoint_type": "SERVERLESS",
    }  # fmt: skip
    run = block("cloud_run", service=Raw(f"google_cloud_run_v2_service.{service}.name"))
    return resource(_GROUP, name, *items(place, run), notes=notes)


def backend(
    name: str, service: str, scheme: str, context: Context, *, firewall: bool = False, first: str = ""
) -> Iterator[Block]:
    """Write how a service is reached: by a group that stands for it, of the first region until another takes over."""
    yield _group(name, service, context)
    group = Raw(f"{_GROUP}.{name}.id")
    if first:
        there = f"projects/{context.scope.project}/regions/{first}/networkEndpointGroups/{name}"
        group = after(group, there)
    arguments: dict[str, Value] = {
        "name": name,
        "protocol": "HTTPS",
        "load_balancing_scheme": scheme,
        **({"security_policy": Raw("google_compute_security_policy.door.id")} if firewall else {}),
    }
    logged = block("log_config", enable=True, sample_rate=1)
    yield resource("google_compute_backend_service", name, *items(arguments, block("backend", group=group), logged))


def _routes(one: Door, context: Context) -> Block:
    """Write the table of routes, the closest first; what is in none of them is not found."""
    first = min(route.service for route in one.routes)
    cors = _cors(one)
    nothing = Block(kind="fault_injection_policy", body=(block("abort", http_status=404, percentage=100),))
    otherwise = Block(kind="default_route_action", body=(*cors, nothing))
    elsewhere = Block(kind="default_route_action", body=(nothing,), notes=("Nothing is served under other names.",))
    ordered = sorted(one.routes, key=lambda route: (closeness(route.path), route.method))
    rules = [_rule(route, number, cors) for number, route in enumerate(ordered, 1)]
    service = Raw(f"google_compute_backend_service.{first}.id")
    matcher = Block(kind="path_matcher", body=items({"name": "served", "default_service": service}, otherwise, *rules))
    unsaid = block("header_action", request_headers_to_remove=[*UNTRUSTED])
    hosts = block("host_rule", hosts=[*one.hosts], path_matcher="served")
    return resource(
        "google_compute_url_map",
        "door",
        *items({"name": f"{context.scope.system}-door", "default_service": service}, elsewhere, unsaid, hosts, matcher),
        notes=context.notes(one),
    )


def _rule(route: Route, number: int, cors: Sequence[Block]) -> Block:
    method = block("header_matches", header_name=":method", exact_match=route.method)
    match = Block(kind="match_rules", body=items(_matched(route.path), method))
    action: list[Block] = [*cors]
    if route.inside != route.path:
        action.append(block("url_rewrite", path_template_rewrite=route.inside))
    said = _said(route)
    blocks = [match, *([said] if said else []), *([Block(kind="route_action", body=tuple(action))] if action else [])]
    service = Raw(f"google_compute_backend_service.{route.service}.id")
    return Block(kind="route_rules", body=items({"priority": number, "service": service}, *blocks))


def _matched(path: str) -> dict[str, Value]:
    if "{" not in path:
        return {"full_path_match": path}
    return {"path_template_match": re.sub(r"\{(\w+)\}", r"{\1=*}", path)}


def _said(route: Route) -> Block | None:
    added = [
        block("request_headers_to_add", header_name=name, header_value=value, replace=replaces)
        for said, replaces in ((route.set, True), (route.add, False))
        for name, value in said.items()
    ]
    removed: dict[str, Value] = {"request_headers_to_remove": [*route.remove]} if route.remove else {}
    return Block(kind="header_action", body=items(removed, *added)) if added or removed else None


def _cors(one: Door) -> tuple[Block, ...]:
    if not one.origins:
        return ()
    return (
        block(
            "cors_policy",
            allow_origins=[*one.origins],
            allow_methods=[*one.methods],
            allow_headers=[*one.headers],
            expose_headers=[*one.exposed],
            allow_credentials=one.credentials,
            max_age=one.age,
            disabled=False,
        ),
    )


def _firewall(one: Door, name: str) -> Block:
    """Count requests of callers, for each operation that has a limit, and of each address for all together."""
    limited = [route for route in one.routes if route.limit is not None]
    rules = [_limit(route, 1000 + number) for number, route in enumerate(limited)]
    everywhere = Block(kind="match", body=items({"versioned_expr": "SRC_IPS_V1"}, block("config", src_ip_ranges=["*"])))
    each = Block(
        kind="rule",
        body=items(
            {"action": "throttle", "priority": 10_000, "description": "Each address"},
            everywhere,
            _counted(EACH, OVER, "IP"),
        ),
    )
    rest = Block(
        kind="rule", body=items({"action": "allow", "priority": 2_147_483_647, "description": "Default"}, everywhere)
    )
    body = items({"name": f"{name}-door", "type": "CLOUD_ARMOR"}, *rules, each, rest)
    return resource("google_compute_security_policy", "door", *body)


def _limit(route: Route, priority: int) -> Block:
    assert route.limit is not None  # noqa: S101 - as was asked
    expression = f"request.method == '{route.method}' && request.path.matches('{pattern(route.path)}')"
    match = Block(kind="match", body=(block("expr", expression=expression),))
    key = {"everyone": "ALL", "address": "IP"}[route.limit.by]
    arguments: dict[str, Value] = {
        "action": "throttle", "priority": priority, "description": f"{route.method} {route.path}"[:64],
    }  # fmt: skip
    return Block(kind="rule", body=items(arguments, match, _counted(route.limit.count, route.limit.seconds, key)))


def pattern(path: str) -> str:
    """Write a path template as a regular expression within a text of CEL."""
    parts = ("[^/]+" if part.startswith("{") else re.escape(part).replace("\\-", "-") for part in path.split("/"))
    return f"^{'/'.join(parts)}$".replace("\\", "\\\\").replace("'", "\\'")


def _counted(count: int, seconds: int, key: str) -> Block:
    arguments: dict[str, Value] = {"conform_action": "allow", "exceed_action": "deny(429)", "enforce_on_key": key}
    threshold = block("rate_limit_threshold", count=count, interval_sec=seconds)
    return Block(kind="rate_limit_options", body=items(arguments, threshold))
