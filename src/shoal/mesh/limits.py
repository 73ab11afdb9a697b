"""Rate limits at the edge: buckets of tokens in Envoy's own memory, and what an answer says of them.

No other process is asked. A bucket belongs to the verified principal or to the address of the connection, never to
what a client says in a header. What a limit tells its callers follows the IETF's draft-ietf-httpapi-ratelimit-headers
(10).
"""

import math

from shoal.mesh import filters, tokens
from shoal.mesh.feature import Feature
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json, seconds, typed
from shoal.model.limits import RateLimit
from shoal.model.plan import Route

BUCKETS = 10_000
"""Callers of one endpoint whose buckets are remembered at a time; beyond that the one longest unused is forgotten."""

HOUSEHOLD = 64
"""Bits of an IPv6 address that one subscriber cannot choose (RFC 6177): a bucket belongs to all below them."""

_LIMIT = "envoy.filters.http.local_ratelimit"
_HEADERS = "shoal.limit_headers"
_MESSAGE = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
_MUTATION = "envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute"
_ALWAYS = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}

_REMAINING = "%RESPONSE_HEADER(X-RATELIMIT-REMAINING)%"
_RESET = "%RESPONSE_HEADER(X-RATELIMIT-RESET)%"


def _filters(scope: Scope) -> tuple[Json, ...]:
    if not any(route.edge.limit for route in scope.plan.routes):
        return ()
    return (filters.http_filter(_HEADERS), filters.http_filter(_LIMIT, stat_prefix="limits"))


def _route(_: Scope, route: Route) -> Json:
    limit = route.edge.limit
    if limit is None:
        return {}
    return {"typed_per_filter_config": {_LIMIT: _bucket(limit, _counted(limit, route)), _HEADERS: _told(limit)}}


def _counted(limit: RateLimit, route: Route) -> list[Json]:
    """Say whose requests are counted together, as Envoy's actions; none counts everyone's."""
    if limit.by == "everyone":
        return []
    if limit.by == "principal" and route.access.kind == "principal":
        return [_verified(tokens.ISSUER), _verified(tokens.SUBJECT)]
    return [{"masked_remote_address": {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": HOUSEHOLD}}]


def _verified(header: str) -> Json:
    """Count by a header that the filter of tokens writes; what a client says in it is gone before."""
    return {"request_headers": {"header_name": header, "descriptor_key": header}}


def _bucket(limit: RateLimit, actions: list[Json]) -> Json:
    """Write the limit; what has no bucket of its own shares the common one, so nothing goes uncounted."""
    tokens = {"max_tokens": limit.size, "tokens_per_fill": limit.requests, "fill_interval": seconds(limit.per)}
    settings: Json = {
        "stat_prefix": "limits",
        "filter_enabled": _ALWAYS,
        "filter_enforced": _ALWAYS,
        "token_bucket": tokens,
        "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
        "response_headers_to_add": [_header("retry-after", str(wait(limit)))],
    }
    if limit.shared:
        settings["local_cluster_rate_limit"] = {}
    if actions:
        entries = [{"key": _key(action)} for action in actions]  # without a value: one bucket for each value
        settings |= {
            "rate_limits": [{"actions": actions}],
            "descriptors": [{"entries": entries, "token_bucket": tokens}],
            "max_dynamic_descriptors": BUCKETS,
            "always_consume_default_token_bucket": False,
        }
    return typed(_MESSAGE, **settings)


def _key(action: Json) -> str:
    kind, told = next(iter(action.items()))
    return str(told.get("descriptor_key", kind))


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
    """
    state = f'"default";r={_REMAINING};t={_RESET}'
    mutations = [
        {"append": _header("ratelimit-policy", policy(limit))},
        {"remove": "ratelimit"},
        {"append": _header("ratelimit", _REMAINING)},
        {"append": _header("ratelimit", state) | {"append_action": "OVERWRITE_IF_EXISTS"}},
        *({"remove": name} for name in ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")),
        {"remove": "x-envoy-ratelimited"},
    ]
    return typed(_MUTATION, mutations={"response_mutations": mutations})


def _header(key: str, value: str) -> Json:
    return {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


FEATURE = Feature(edge_filters=_filters, edge_route=_route)
