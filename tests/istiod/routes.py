"""HTTPRoutes and VirtualServices as Envoy's routes."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from tests.istiod.known import Json, seconds, typed
from tests.istiod.routing import (
    Backend,
    CorsFilter,
    Fault,
    Filter,
    HttpRoute,
    Match,
    Modifier,
    Percent,
    Rule,
    StringMatch,
    VirtualMatch,
    VirtualRule,
    VirtualService,
)

Name = Callable[[str], str]
"""Service → the cluster by which a proxy reaches it."""

Hash = Callable[[str], str]
"""Service → the header that keeps its requests together; empty where none does."""

AGAIN: Json = {
    "retry_on": "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes",
    "num_retries": 2,
}
"""What Istio repeats where nobody says anything."""

_RANK = {"Exact": 3, "PathPrefix": 2, "RegularExpression": 1}


def of_parent(routes: Mapping[str, HttpRoute], kind: str, parent: str) -> dict[str, list[tuple[Match, Rule]]]:
    """Collect the rules that belong to a parent, host by host (``*`` is any), in the order in which they are tried.

    Each match counts by itself, whatever route it stands in: exact before prefix before expression, the longer
    before the shorter, one with a method before one without, more headers before fewer; else as they are written.
    """
    found: dict[str, list[tuple[Match, Rule]]] = {}
    for _, route in sorted(routes.items()):
        if any((one.kind, one.name) == (kind, parent) for one in route.parent_refs):
            for host in route.hostnames or ("*",):
                found.setdefault(host, []).extend(
                    (match, rule) for rule in route.rules for match in rule.matches or (Match(),)
                )
    return {host: sorted(some, key=lambda one: _precedence(one[0])) for host, some in found.items()}


def _precedence(match: Match) -> tuple[int, int, bool, int]:
    return -_RANK[match.path.type], -len(match.path.value), not match.method, -len(match.headers)


def from_rule(match: Match, rule: Rule, name: Name, hash_of: Hash) -> Json:
    """Write a rule of an HTTPRoute, for one of its matches."""
    action = _led([(name(one.name), one.weight, one) for one in rule.backend_refs if one.weight])
    action |= {"timeout": seconds(rule.timeouts.request), "cluster_not_found_response_code": "INTERNAL_SERVER_ERROR"}
    action |= _retried(rule)
    entry: Json = {"match": _match(match), "route": action}
    for one in rule.filters:
        _filtered(entry, one, match, name)
    if len(rule.backend_refs) == 1:
        for one in rule.backend_refs[0].filters:
            _filtered(entry, one, match, name)
    _hashed(action, {hash_of(one.name) for one in rule.backend_refs})
    return entry


def _match(match: Match) -> Json:
    paths: Json = {
        "Exact": {"path": match.path.value},
        "PathPrefix": {"prefix": "/"} if match.path.value == "/" else {"path_separated_prefix": match.path.value},
        "RegularExpression": {"safe_regex": {"regex": match.path.value}},
    }
    headers = [
        {"name": one.name, "string_match": {"exact": one.value}}
        if one.type == "Exact"
        else {"name": one.name, "string_match": {"safe_regex": {"regex": one.value}}}
        for one in match.headers
    ]
    if match.method:
        headers.append({"name": ":method", "string_match": {"exact": match.method}})
    return {**paths[match.path.type], "headers": headers, "case_sensitive": True}


def _led(shares: list[tuple[str, int, Backend | None]]) -> Json:
    if len(shares) == 1:
        return {"cluster": shares[0][0]}
    clusters = []
    for cluster, weight, backend in shares:
        entry: Json = {"name": cluster, "weight": weight}
        for one in backend.filters if backend is not None else ():
            entry |= _headers(one)
        clusters.append(entry)
    return {"weighted_clusters": {"clusters": clusters}}


def _retried(rule: Rule) -> Json:
    if rule.retry is None:
        return {"retry_policy": AGAIN}
    if not rule.retry.attempts:
        return {}
    found: Json = {
        "retry_on": "connect-failure,refused-stream,unavailable,cancelled",
        "num_retries": rule.retry.attempts,
    }
    if rule.retry.codes:
        found |= {"retriable_status_codes": list(rule.retry.codes)}
        found["retry_on"] += ",retriable-status-codes"
    return {
        "retry_policy": found
        | ({"retry_back_off": {"base_interval": seconds(rule.retry.backoff)}} if rule.retry.backoff else {})
    }


def _filtered(entry: Json, one: Filter, match: Match, name: Name) -> None:
    """Add what a filter does to a route."""
    if one.cors is not None:
        entry["typed_per_filter_config"] = {"envoy.filters.http.cors": _cors(one.cors)}
    for field, some in _headers(one).items():
        entry[field] = [*entry.get(field, ()), *some]
    if one.request_mirror is not None:
        copies = one.request_mirror
        policy = {"cluster": name(copies.backend_ref.name), "runtime_fraction": _share(Percent(value=copies.percent))}
        entry["route"].setdefault("request_mirror_policies", []).append(policy)
    if one.url_rewrite is not None:
        path = one.url_rewrite.path
        if path.type == "ReplaceFullPath":
            entry["route"]["regex_rewrite"] = {"pattern": {"regex": "/.*"}, "substitution": path.replace_full_path}
        else:
            entry["route"]["prefix_rewrite"] = path.replace_prefix_match.rstrip("/") or "/"


def _headers(one: Filter) -> Json:
    return _modified("request", one.request_header_modifier) | _modified("response", one.response_header_modifier)


def _modified(side: str, told: Modifier | None) -> Json:
    if told is None:
        return {}
    how = [(one, "APPEND_IF_EXISTS_OR_ADD") for one in told.add] + [(o, "OVERWRITE_IF_EXISTS_OR_ADD") for o in told.set]
    added = [{"header": {"key": one.name, "value": one.value}, "append_action": action} for one, action in how]
    return {f"{side}_headers_to_add": added, f"{side}_headers_to_remove": list(told.remove)}


def _cors(told: CorsFilter) -> Json:
    return typed(
        "envoy.extensions.filters.http.cors.v3.CorsPolicy",
        allow_origin_string_match=[{"exact": one} for one in told.allow_origins],
        allow_methods=",".join(told.allow_methods),
        allow_headers=",".join(told.allow_headers),
        expose_headers=",".join(told.expose_headers),
        allow_credentials=told.allow_credentials,
        max_age=str(told.max_age),
        filter_enabled=_share(Percent(value=100)),
        forward_not_matching_preflights=False,
    )


def _share(percent: Percent) -> Json:
    return {"default_value": {"numerator": round(percent.value * 10_000), "denominator": "MILLION"}}


def _hashed(action: Json, headers: Iterable[str]) -> None:
    some = [{"header": {"header_name": one}} for one in sorted(headers) if one]
    if some:
        action["hash_policy"] = some


def from_virtual(service: VirtualService, caller: Mapping[str, str], name: Name, hash_of: Hash) -> Iterator[Json]:
    """Write the routes of a VirtualService in the pod of a caller, which has these labels."""
    for rule in service.http:
        for match in rule.match or (VirtualMatch(),):
            if match.source_labels.items() <= caller.items():
                yield _virtual(match, rule, name, hash_of)


def _virtual(match: VirtualMatch, rule: VirtualRule, name: Name, hash_of: Hash) -> Json:
    action = _led([(name(one.destination.host), one.weight or 100, None) for one in rule.route])
    action["timeout"] = seconds(rule.timeout)
    if rule.retries is None:
        action["retry_policy"] = AGAIN
    elif rule.retries.attempts:
        action["retry_policy"] = {"retry_on": rule.retries.retry_on, "num_retries": rule.retries.attempts}
    if rule.mirrors:
        action["request_mirror_policies"] = [
            {"cluster": name(one.destination.host), "runtime_fraction": _share(one.percentage)} for one in rule.mirrors
        ]
    _hashed(action, {hash_of(one.destination.host) for one in rule.route})
    path: Json = {"prefix": "/"}
    if match.uri is not None:
        path = {"path": match.uri.exact} if match.uri.exact is not None else {"safe_regex": {"regex": match.uri.regex}}
    headers = [{"name": ":method", "string_match": _text(match.method)}] if match.method is not None else []
    entry: Json = {"match": {**path, "headers": headers, "case_sensitive": True}, "route": action}
    if rule.fault is not None:
        entry["typed_per_filter_config"] = {"envoy.filters.http.fault": _fault(rule.fault)}
    return entry


def _text(match: StringMatch) -> Json:
    return {"exact": match.exact} if match.exact is not None else {"safe_regex": {"regex": match.regex}}


def _fault(told: Fault) -> Json:
    found: Json = {}
    if told.delay is not None:
        share = _share(told.delay.percentage)["default_value"]
        found["delay"] = {"fixed_delay": seconds(told.delay.fixed_delay), "percentage": share}
    if told.abort is not None:
        share = _share(told.abort.percentage)["default_value"]
        found["abort"] = {"http_status": told.abort.http_status, "percentage": share}
    return typed("envoy.extensions.filters.http.fault.v3.HTTPFault", **found)
