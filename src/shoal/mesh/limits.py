"""Rate limits at the edge: buckets of tokens in Envoy's own memory, and what an answer says of them.

No other process is asked. A bucket belongs to the verified principal or to the address of the connection, never to
what a client says in a header. What a limit tells its callers follows the IETF's draft-ietf-httpapi-ratelimit-headers
(10).
"""

import math
from collections.abc import Iterator, Sequence

from shoal.mesh import filters, tokens
from shoal.mesh.feature import Feature
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json, seconds, typed
from shoal.model.limits import RateLimit, Who
from shoal.model.plan import Route

BUCKETS = 10_000
"""Callers of one endpoint whose buckets are remembered at a time; beyond that the one longest unused is forgotten."""

HOUSEHOLD = 64
"""Bits of an IPv6 address that one subscriber cannot choose (RFC 6177): a bucket belongs to all below them."""

_LIMIT = "envoy.filters.http.local_ratelimit"
_HEADERS = "shoal.limit_headers"
_OWN, _PARTS = "shoal.limit", "shoal.parts"
"""Where a route notes its operation: for buckets that each gateway has whole, and for those of which it has a part."""
_MARK = "x-shoal-limited"
_MUTATION = "envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute"
_ALWAYS = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}

_REMAINING = "%RESPONSE_HEADER(X-RATELIMIT-REMAINING)%"
_RESET = "%RESPONSE_HEADER(X-RATELIMIT-RESET)%"


def _filters(scope: Scope) -> tuple[Json, ...]:
    limited = [(route, _note(limit)) for route in scope.plan.routes if (limit := route.edge.limit)]
    if not limited:
        return ()
    whole = buckets(_LIMIT, _OWN, [route for route, note in limited if note == _OWN])
    parts = buckets(_PARTS, _PARTS, [route for route, note in limited if note == _PARTS], local_cluster_rate_limit={})
    return (filters.http_filter(_HEADERS), *(one for one in (whole, parts) if one))


def _note(limit: RateLimit) -> str:
    """Say for which filter a route notes its operation; none of these counts what is counted elsewhere."""
    return "" if limit.counted else _PARTS if limit.shared else _OWN


def buckets(name: str, note: str, limited: Sequence[Route], **more: object) -> Json:
    """Write a filter with the buckets of operations, or nothing where there are none.

    They belong to the filter and not to routes: an operation has several (versions, two builds side by side), between
    which a client may choose, and routes change while buckets should not.

    Args:
        name: Of the filter.
        note: Where routes note their operation for it.
        limited: Routes of the operations, each with a limit.
        more: Further settings of the filter.
    """
    found = {operation(route): (whose(route), limit) for route in limited if (limit := route.edge.limit)}
    if not found:
        return {}
    kinds = {kind for kind, _ in found.values()}
    settings: Json = {
        "stat_prefix": note.rpartition(".")[2] + "s",
        "filter_enabled": _ALWAYS,
        "filter_enforced": _ALWAYS,
        "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
        "response_headers_to_add": [MARKED],
        "rate_limits": [
            {"actions": [_operation(note, kind), *who]} for kind in WHO if kind in kinds for who in WHO[kind]
        ],
        "descriptors": [one for name, (kind, limit) in found.items() for one in _descriptors(name, kind, limit)],
        "max_dynamic_descriptors": BUCKETS,
        **more,
    }
    return filters.http_filter(name, **settings)


def _route(_: Scope, route: Route) -> Json:
    limit = route.edge.limit
    if limit is None:
        return {}
    told = {"typed_per_filter_config": {_HEADERS: _told(limit)}}
    return told | (noted(note, route) if (note := _note(limit)) else {})


def noted(note: str, route: Route) -> Json:
    """Note in a route which operation it leads to, and who has a bucket of it."""
    return {"metadata": {"filter_metadata": {note: {whose(route): operation(route)}}}}


def operation(route: Route) -> str:
    """Name what a bucket belongs to."""
    return f"{route.service}.{route.endpoint}"


def counted(route: Route) -> bool:
    """Tell whether the limit of an operation is counted for all gateways."""
    return route.edge.limit is not None and route.edge.limit.counted


def whose(route: Route) -> Who:
    """Say who has a bucket of a limited operation."""
    assert route.edge.limit is not None, "only limited operations are asked about"  # noqa: S101
    return route.edge.limit.whose(signed_in=route.access.kind == "principal")


def _operation(note: str, kind: str) -> Json:
    """Count by the operation that a route notes; without such a note nothing is counted."""
    where = {"key": note, "path": [{"key": kind}]}
    return {"metadata": {"descriptor_key": kind, "metadata_key": where, "source": "ROUTE_ENTRY"}}


def _descriptors(name: str, kind: Who, limit: RateLimit) -> Iterator[Json]:
    """Write an operation's buckets; an entry without a value makes one for each value."""
    for who in WHO[kind]:
        entries = [{"key": kind, "value": name}, *(_entry(action) for action in who)]
        yield {"entries": entries, "token_bucket": _tokens(limit)}


def _tokens(limit: RateLimit) -> Json:
    return {"max_tokens": limit.size, "tokens_per_fill": limit.requests, "fill_interval": seconds(limit.per)}


def _verified(header: str) -> Json:
    """Count by a header that the filter of tokens writes; what a client says in it is gone before."""
    return {"request_headers": {"header_name": header, "descriptor_key": header}}


def _entry(action: Json) -> Json:
    kind, told = next(iter(action.items()))
    value = {"value": told["descriptor_value"]} if "descriptor_value" in told else {}
    return {"key": told.get("descriptor_key", kind), **value}


_UNNAMED: Json = {
    "header_value_match": {
        "descriptor_key": "unnamed",
        "descriptor_value": "yes",
        "expect_match": False,
        "headers": [{"name": tokens.SUBJECT, "present_match": True}],
    }
}
"""A good token that names nobody: all of those share one bucket, so nothing goes uncounted."""

WHO: dict[Who, list[list[Json]]] = {
    "principal": [[_verified(tokens.ISSUER), _verified(tokens.SUBJECT)], [_UNNAMED]],
    "address": [[{"masked_remote_address": {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": HOUSEHOLD}}]],
    "everyone": [[]],
}
"""Whose requests are counted together, as Envoy's actions, of which a request meets one."""


def wait(limit: RateLimit) -> int:
    """Seconds until an empty bucket has a token again, whole ones as ``Retry-After`` wants."""
    return max(1, math.ceil(limit.per / limit.requests))


def policy(limit: RateLimit) -> str:
    """Write ``RateLimit-Policy``: what the bucket holds, and the whole seconds in which it fills."""
    window = max(1, math.ceil(limit.size * limit.per / limit.requests))
    return f'"default";q={limit.size};w={window}'


def _told(limit: RateLimit) -> Json:
    """Turn Envoy's three headers, which follow an early draft, into the two of today's.

    Envoy adds no empty header, so the first `RateLimit` is there only if a bucket was asked; the second writes it out.
    Likewise a refusal of the limit bears a mark, which becomes `Retry-After`; that of a service stays as it is.
    """
    state = f'"default";r={_REMAINING};t={_RESET}'
    mutations = [
        {"append": _header("ratelimit-policy", policy(limit))},
        {"append": _header(_MARK, str(wait(limit))) | {"append_action": "OVERWRITE_IF_EXISTS"}},
        {"append": _header("retry-after", f"%RESPONSE_HEADER({_MARK})%")},
        {"remove": _MARK},
        {"remove": "ratelimit"},
        {"append": _header("ratelimit", _REMAINING)},
        {"append": _header("ratelimit", state) | {"append_action": "OVERWRITE_IF_EXISTS"}},
        *({"remove": name} for name in ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")),
        {"remove": "x-envoy-ratelimited"},
    ]
    return typed(_MUTATION, mutations={"response_mutations": mutations})


def _header(key: str, value: str) -> Json:
    return {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


MARKED = _header(_MARK, "1")
"""Borne by the refusal of a limit, and by nothing else."""

FEATURE = Feature(edge_filters=_filters, edge_route=_route)
