"""Bodies at the edge: how large a request may be, and compressed answers.

Requests may not be compressed: a small one could unfold into a large one behind the limit.
"""

from shoal.mesh import filters
from shoal.mesh.feature import Feature
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json, typed
from shoal.model.edge import LARGEST
from shoal.model.plan import Route

WORTH = 1024
"""Bytes below which compressing an answer saves no packet."""

CODINGS = {
    "zstd": typed("envoy.extensions.compression.zstd.compressor.v3.Zstd", compression_level=3),
    "br": typed("envoy.extensions.compression.brotli.compressor.v3.Brotli", quality=4),
    "gzip": typed("envoy.extensions.compression.gzip.compressor.v3.Gzip", compression_level="COMPRESSION_LEVEL_4"),
}
"""Codings (RFC 9110, 8.4.1) by preference, at the levels where processor time and bytes are in proportion."""

_BUFFER = "envoy.filters.http.buffer"
_PER_ROUTE = "envoy.extensions.filters.http.buffer.v3.BufferPerRoute"
_ENABLED = typed("envoy.config.route.v3.FilterConfig", config={})


def _filters(scope: Scope) -> tuple[Json, ...]:
    buffer = filters.http_filter(_BUFFER, max_request_bytes=LARGEST)
    wanted = any(route.edge.compress for route in scope.plan.routes)
    return (buffer, *(_compressor(coding) for coding in CODINGS if wanted))


def _route(_: Scope, route: Route) -> Json:
    found: Json = {}
    if route.edge.largest != LARGEST:
        found[_BUFFER] = typed(_PER_ROUTE, buffer={"max_request_bytes": route.edge.largest})
    if route.edge.compress:
        found |= {_name(coding): _ENABLED for coding in CODINGS}
    return {"typed_per_filter_config": found} if found else {}


def _name(coding: str) -> str:
    return f"shoal.compress.{coding}"


def _compressor(coding: str) -> Json:
    """Write one coding's filter, asleep until a route wakes it; Envoy knows which media types are worth it."""
    direction = {
        "common_config": {"min_content_length": WORTH},
        "weaken_etag_on_compress": True,  # the bytes differ, what they mean does not (RFC 9110, 8.8.1)
        "remove_accept_encoding_header": coding == list(CODINGS)[-1],  # the others still want to read it
        "uncompressible_response_codes": [206],
    }
    library = {"name": coding, "typed_config": CODINGS[coding]}
    return filters.http_filter(_name(coding), response_direction_config=direction, compressor_library=library) | {
        "disabled": True
    }


FEATURE = Feature(edge_filters=_filters, edge_route=_route)
