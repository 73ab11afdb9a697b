"""What Envoy answers when it refuses: problem details (RFC 9457) that say nothing of the inside."""

from collections.abc import Sequence
from dataclasses import dataclass

from shoal.mesh.accesslog import TRACE
from shoal.mesh.proto import Json
from shoal.mesh.tokens import CLAIMS, VERIFIER

UNAUTHENTICATED = 401
FORBIDDEN = 403

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One status that Envoy may answer by itself."""

    status: int
    code: str
    title: str


REFUSALS = (
    Refusal(status=400, code="bad-request", title="Bad request"),
    Refusal(status=401, code="unauthenticated", title="A valid token is required"),
    Refusal(status=403, code="forbidden", title="This caller may not do that"),
    Refusal(status=404, code="not-found", title="Nothing is here"),
    Refusal(status=405, code="method-not-allowed", title="This method is not allowed here"),
    Refusal(status=408, code="timeout", title="The request did not arrive in time"),
    Refusal(status=413, code="too-large", title="The request is too large"),
    Refusal(status=415, code="unsupported-media-type", title="This form of content is not accepted"),
    Refusal(status=429, code="too-many-requests", title="Too many requests"),
    Refusal(status=431, code="headers-too-large", title="The headers of the request are too large"),
    Refusal(status=502, code="bad-gateway", title="The service gave no valid answer"),
    Refusal(status=503, code="unavailable", title="The service is not available now"),
    Refusal(status=504, code="timeout", title="The service did not answer in time"),
)
"""Every refusal with an own name; others say only their status."""

_BY_STATUS = {refusal.status: refusal for refusal in REFUSALS}

MISSING = "Bearer"
INVALID = 'Bearer error="invalid_token"'
"""Challenges of RFC 6750, 3 and 3.1; Envoy's own would repeat the request's address, query included."""

_TOKEN_GIVEN: Json = {
    "or_filter": {
        "filters": [
            {"header_filter": {"header": {"name": name, "present_match": True}}}
            for name in ("authorization", "x-api-key")
        ]
    }
}


_VERIFIED: Json = {
    "metadata_filter": {
        "matcher": {
            "filter": VERIFIER,
            "path": [{"key": CLAIMS}, {"key": "exp"}],
            "value": {"present_match": True},
        },
        "match_if_key_not_found": False,
    }
}

_UPGRADE: Json = {"header_filter": {"header": {"name": "upgrade", "present_match": True}}}

_ANY_STATUS: Json = {
    "status_code_filter": {"comparison": {"op": "GE", "value": {"default_value": 0, "runtime_key": "unused"}}}
}


INSIDE = frozenset({400, 403, 503, 504})
"""What the listeners between services answer; anything else there says only its status."""


def at_edge(headers: Sequence[Json] = ()) -> Json:
    """Write the answers of the edge, each with `headers`.

    Envoy answers 403 to a token for another audience too; it becomes a 401, as RFC 6750 (3.1) wants for every
    invalid token. Only a verified one leaves its claims, and so tells that it was its bearer who was refused. Of an
    upgrade it tells nothing: those are refused with 403 before any token is looked at.
    """
    unauthenticated = _BY_STATUS[UNAUTHENTICATED]
    tokens = [
        _mapper(_all_of(_status(UNAUTHENTICATED), _TOKEN_GIVEN), unauthenticated) | _challenge(INVALID),
        _mapper(_status(UNAUTHENTICATED), unauthenticated) | _challenge(MISSING),
        _mapper(_all_of(_status(FORBIDDEN), {"or_filter": {"filters": [_VERIFIED, _UPGRADE]}}), _BY_STATUS[FORBIDDEN]),
        _mapper(_status(FORBIDDEN), unauthenticated) | _challenge(INVALID) | {"status_code": UNAUTHENTICATED},
    ]
    rest = [refusal for refusal in REFUSALS if refusal.status not in (UNAUTHENTICATED, FORBIDDEN)]
    mappers = [*tokens, *(_mapper(_status(refusal.status), refusal) for refusal in rest), {"filter": _ANY_STATUS}]
    return _replies([{**mapper, "headers_to_add": [*mapper.get("headers_to_add", []), *headers]} for mapper in mappers])


def inside() -> Json:
    """Write the answers of the listeners between services."""
    return _replies([_mapper(_status(refusal.status), refusal) for refusal in REFUSALS if refusal.status in INSIDE])


def _replies(mappers: list[Json]) -> Json:
    rest = {"type": "about:blank", "title": "Request refused", "status": "%RESPONSE_CODE%"}
    return {"mappers": mappers, "body_format": _body(rest)}


def _mapper(match: Json, refusal: Refusal) -> Json:
    content = {"type": f"urn:shoal:problem:{refusal.code}", "title": refusal.title, "status": refusal.status}
    return {"filter": match, "body_format_override": _body(content)}


def _status(status: int) -> Json:
    comparison = {"op": "EQ", "value": {"default_value": status, "runtime_key": "unused"}}
    return {"status_code_filter": {"comparison": comparison}}


def _body(document: Json) -> Json:
    """Write a problem document, with the trace where the request came far enough to have one."""
    content = document | {"trace_id": f"%REQ({TRACE.upper()})%"}
    return {"json_format": content, "omit_empty_values": True, "content_type": CONTENT_TYPE}


def _all_of(*filters: Json) -> Json:
    return {"and_filter": {"filters": list(filters)}}


def _challenge(value: str) -> Json:
    header = {"key": "www-authenticate", "value": value}
    return {"headers_to_add": [{"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}]}
