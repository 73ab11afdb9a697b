"""Envoy's response code details: which part of it answered, and why.

Source: Envoy's documentation, "Response code details", and the local replies of the filters that the mesh uses.
Envoy does not promise that they stay; what the table lacks is shown as it is.
"""

from dataclasses import dataclass

from shoal.mesh.causes import Cause

UPSTREAM = "via_upstream"
"""Whoever is behind this hop gave the answer."""

DIRECT = "direct_response"
"""A route answered by itself; its name says why."""

NO_TOKEN = "it bore no token"  # noqa: S105 - a sentence
"""What is meant where a token is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One kind of details, by how it begins."""

    start: str
    meaning: str
    cause: Cause


_RESET = "upstream_reset_before_response_started"

DETAILS = (
    Detail(start="route_not_found", meaning="no route matched", cause="no-route"),
    Detail(start="route_configuration_not_found", meaning="there were no routes yet", cause="misconfigured"),
    Detail(start="cluster_not_found", meaning="the cluster of the route does not exist", cause="misconfigured"),
    Detail(start="filter_chain_not_found", meaning="no chain of filters matched", cause="misconfigured"),
    Detail(
        start="filter_removed_required", meaning="a filter took a header away that is needed", cause="misconfigured"
    ),
    Detail(start="filter_added_invalid", meaning="a filter added data at the wrong time", cause="misconfigured"),
    Detail(start="jwt_authn_access_denied{Jwt_is_missing}", meaning=NO_TOKEN, cause="unauthenticated"),
    Detail(start="jwt_authn_access_denied{Jwt_is_expired}", meaning="its token has expired", cause="unauthenticated"),
    Detail(
        start="jwt_authn_access_denied{Audiences_in_Jwt_are_not_allowed}",
        meaning="its token is for another audience",
        cause="unauthenticated",
    ),
    Detail(
        start="jwt_authn_access_denied{Jwt_issuer_is_not_configured}",
        meaning="its token is of an unknown issuer",
        cause="unauthenticated",
    ),
    Detail(
        start="jwt_authn_access_denied{Jwt_verification_fails}",
        meaning="the signature of its token is not right",
        cause="unauthenticated",
    ),
    Detail(start="jwt_authn_access_denied", meaning="its token is not valid", cause="unauthenticated"),
    Detail(start="missing_api_key", meaning="it bore no API key", cause="unauthenticated"),
    Detail(start="unknown_api_key", meaning="its API key is unknown", cause="unauthenticated"),
    Detail(start="client_not_allowed", meaning="the consumer of its API key may not do that", cause="denied"),
    Detail(start="no_credential_for_basic_auth", meaning="it bore no credentials", cause="unauthenticated"),
    Detail(start="invalid_credential_for_basic_auth", meaning="its credentials are not right", cause="unauthenticated"),
    Detail(start="rbac_access_denied", meaning="no policy allows it", cause="denied"),
    Detail(start="ext_authz", meaning="an external authorizer refused it", cause="denied"),
    Detail(start="csrf_origin_mismatch", meaning="it came from a page of another origin", cause="denied"),
    Detail(start="local_rate_limited", meaning="the caller asked too often", cause="limited"),
    Detail(start="request_rate_limited", meaning="the caller asked too often, over all gateways", cause="limited"),
    Detail(start="rate_limited", meaning="the caller asked too often", cause="limited"),
    Detail(start="rate_limiter_error", meaning="the service of rate limits failed", cause="limited"),
    Detail(start="request_payload_too_large", meaning="its body is too large", cause="too-large"),
    Detail(start="request_payload_exceeded_retry", meaning="its body is too large to be repeated", cause="too-large"),
    Detail(start="http1.headers_too_large", meaning="its headers are too large", cause="too-large"),
    Detail(start="http1.too_many_headers", meaning="it has too many headers", cause="too-large"),
    Detail(start="http2.too_many_headers", meaning="it has too many headers", cause="too-large"),
    Detail(start="http2.header_list_size_too_large", meaning="its headers are too large", cause="too-large"),
    Detail(start="response_payload_too_large", meaning="the answer is too large", cause="bad-answer"),
    Detail(start="http1.unexpected_underscore", meaning="the name of a header has an underscore", cause="malformed"),
    Detail(start="http2.unexpected_underscore", meaning="the name of a header has an underscore", cause="malformed"),
    Detail(start="http1.invalid_transfer_encoding", meaning="its Transfer-Encoding is unknown", cause="malformed"),
    Detail(
        start="http1.content_length_and_chunked_not_allowed",
        meaning="it has both Content-Length and Transfer-Encoding",
        cause="malformed",
    ),
    Detail(start="http1.", meaning="it broke the rules of HTTP/1.1", cause="malformed"),
    Detail(start="http2.", meaning="it broke the rules of HTTP/2", cause="malformed"),
    Detail(start="http3.", meaning="it broke the rules of HTTP/3", cause="malformed"),
    Detail(start="path_normalization_failed", meaning="its path is ambiguous or not allowed", cause="malformed"),
    Detail(start="missing_host_header", meaning="it names no host", cause="malformed"),
    Detail(start="missing_path_rejected", meaning="it has no path", cause="malformed"),
    Detail(start="absolute_path_rejected", meaning="its path is a whole address", cause="malformed"),
    Detail(start="request_headers_failed_strict_check", meaning="a header has a wrong value", cause="malformed"),
    Detail(start="low_version", meaning="it speaks HTTP/1.0 or older", cause="malformed"),
    Detail(start="upgrade_failed", meaning="it asks for a protocol that is not spoken here", cause="malformed"),
    Detail(start="request_header_timeout", meaning="its headers did not arrive in time", cause="too-slow"),
    Detail(start="request_overall_timeout", meaning="it did not arrive in time", cause="too-slow"),
    Detail(start="stream_idle_timeout", meaning="nothing was sent for too long", cause="too-slow"),
    Detail(start="upstream_response_timeout", meaning="the answer was not there in time", cause="timed-out"),
    Detail(start="upstream_per_try", meaning="the answer to one try was not there in time", cause="timed-out"),
    Detail(start="response_timeout", meaning="the answer was not there in time", cause="timed-out"),
    Detail(start="max_duration_timeout", meaning="it lasted longer than it may", cause="timed-out"),
    Detail(start="upstream_max_stream_duration", meaning="it lasted longer than it may", cause="timed-out"),
    Detail(start="duration_timeout", meaning="its connection lasted longer than it may", cause="timed-out"),
    Detail(start="no_healthy_upstream", meaning="no replica was healthy", cause="no-replica"),
    Detail(start=f"{_RESET}{{overflow", meaning="too many requests were under way", cause="breaker-open"),
    Detail(start=f"{_RESET}{{connection_failure", meaning="no connection could be made", cause="refused"),
    Detail(start=f"{_RESET}{{remote_connection_failure", meaning="no connection could be made", cause="refused"),
    Detail(start=f"{_RESET}{{local_connection_failure", meaning="no connection could be made", cause="refused"),
    Detail(start=f"{_RESET}{{connection_timeout", meaning="no connection was made in time", cause="refused"),
    Detail(start=f"{_RESET}{{protocol_error", meaning="the answer broke the rules of HTTP", cause="bad-answer"),
    Detail(start=_RESET, meaning="the connection ended before the answer began", cause="reset"),
    Detail(start="upstream_reset_after_response_started", meaning="the answer broke off", cause="reset"),
    Detail(start="maintenance_mode", meaning="the route is closed for maintenance", cause="overloaded"),
    Detail(
        start="reached_concurrency_limit", meaning="as many are under way as the service can bear", cause="overloaded"
    ),
    Detail(start="denied_by_admission_control", meaning="so many fail that some are not tried", cause="overloaded"),
    Detail(start="overload", meaning="the proxy was overloaded", cause="overloaded"),
    Detail(start="fault_filter_abort", meaning="a fault was injected", cause="fault"),
    Detail(start="downstream_remote_disconnect", meaning="the client ended the connection", cause="client-gone"),
    Detail(start="downstream_remote_reset", meaning="the client reset the stream", cause="client-gone"),
    Detail(start="downstream_local_disconnect", meaning="the proxy ended the client's connection", cause="client-gone"),
    Detail(start="response_from_cache_filter", meaning="it came from the gateway's cache", cause="answered"),
    Detail(start="cache.", meaning="it came from the gateway's cache", cause="answered"),
    Detail(start="cors_response", meaning="the gateway answered what the browser asked before", cause="answered"),
    Detail(start="internal_redirect", meaning="it was sent elsewhere", cause="answered"),
)
"""The more exact beginning stands before the less exact one."""


def known(details: str) -> Detail | None:
    """Find the entry of a line's details; None for what the table lacks."""
    return next((detail for detail in DETAILS if details.startswith(detail.start)), None)
