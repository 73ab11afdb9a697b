"""The order of HTTP filters, as a table with reasons."""

from collections.abc import Iterable
from dataclasses import dataclass

from shoal.errors import DeclarationError
from shoal.mesh.proto import Json, typed

_HTTP = "envoy.extensions.filters.http"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One filter, its message and why it stands where it stands."""

    name: str
    message: str
    reason: str


ORDER = (
    Slot(
        name="shoal.trace_context",
        message=f"{_HTTP}.header_to_metadata.v3.Config",
        reason="first of all: the trace that a client names is read before it is written anew",
    ),
    Slot(
        name="shoal.trace",
        message=f"{_HTTP}.header_mutation.v3.HeaderMutation",
        reason="before everything that may refuse: a refusal names its trace",
    ),
    Slot(
        name="envoy.filters.http.cors",
        message=f"{_HTTP}.cors.v3.Cors",
        reason="before all: a preflight carries no token, and refusals are to be readable by the page that asked",
    ),
    Slot(
        name="envoy.filters.http.jwt_authn",
        message=f"{_HTTP}.jwt_authn.v3.JwtAuthentication",
        reason="first of what decides: a caller without a valid token must cost nothing more, not even a buffer",
    ),
    Slot(
        name="shoal.limit_headers",
        message=f"{_HTTP}.header_mutation.v3.HeaderMutation",
        reason="before the limit, since answers pass in the other direction: it rewrites what the limit says there",
    ),
    Slot(
        name="envoy.filters.http.local_ratelimit",
        message=f"{_HTTP}.local_ratelimit.v3.LocalRateLimit",
        reason="after authentication, whose principal it counts; before authorization: what is denied counts too",
    ),
    Slot(
        name="shoal.parts",
        message=f"{_HTTP}.local_ratelimit.v3.LocalRateLimit",
        reason="as the limit before it; apart, since in this one each request counts once for each gateway",
    ),
    Slot(
        name="shoal.backstop",
        message=f"{_HTTP}.local_ratelimit.v3.LocalRateLimit",
        reason="before the limit that is counted elsewhere: who has emptied the bucket here costs no call; of what both"
        " say of themselves the first counts, and answers pass the other one first",
    ),
    Slot(
        name="envoy.filters.http.ratelimit",
        message=f"{_HTTP}.ratelimit.v3.RateLimit",
        reason="after authentication, whose principal it counts; before authorization: what is denied counts too",
    ),
    Slot(
        name="envoy.filters.http.rbac",
        message=f"{_HTTP}.rbac.v3.RBAC",
        reason="after authentication, whose result it judges; before anything reads the body",
    ),
    Slot(
        name="envoy.filters.http.adaptive_concurrency",
        message=f"{_HTTP}.adaptive_concurrency.v3.AdaptiveConcurrency",
        reason="after authorization: what is refused anyway must not count as work, nor be measured as such",
    ),
    Slot(
        name="envoy.filters.http.buffer",
        message=f"{_HTTP}.buffer.v3.Buffer",
        reason="only for requests that were let in: it holds a whole body in memory",
    ),
    Slot(
        name="shoal.query",
        message=f"{_HTTP}.lua.v3.Lua",
        reason="late: whatever judges a request sees the query that was sent",
    ),
    Slot(
        name="envoy.filters.http.fault",
        message=f"{_HTTP}.fault.v3.HTTPFault",
        reason="in the place of what is called: whoever refuses a request does so first, as without a fault",
    ),
    *(
        Slot(
            name=f"shoal.compress.{coding}",
            message=f"{_HTTP}.compressor.v3.Compressor",
            reason="at the end, since answers pass in the other direction: what keeps answers keeps them whole",
        )
        for coding in ("zstd", "br", "gzip")
    ),
    Slot(
        name="envoy.filters.http.router",
        message=f"{_HTTP}.router.v3.Router",
        reason="last: it ends the chain by sending the request on",
    ),
)
"""Every filter that the mesh may use. A filter missing here is an error."""

_RANK = {slot.name: rank for rank, slot in enumerate(ORDER)}


def http_filter(name: str, **settings: object) -> Json:
    """Write one filter; raises `DeclarationError` for a name missing in `ORDER`."""
    return {"name": name, "typed_config": typed(ORDER[_rank(name)].message, **settings)}


def discovered(name: str, **settings: object) -> Json:
    """Write a filter whose settings come from a file of their own (ECDS)."""
    _rank(name)
    return {"name": name, "config_discovery": settings}


def in_order(filters: Iterable[Json]) -> list[Json]:
    """Sort filters as `ORDER` says; raises `DeclarationError` for one missing there."""
    return sorted(filters, key=lambda entry: _rank(entry["name"]))


def _rank(name: str) -> int:
    if name not in _RANK:
        raise DeclarationError(
            f"filter {name!r} has no place in the order of filters",
            hint="add it to the table of shoal.mesh.filters, with the reason for its place",
        )
    return _RANK[name]
