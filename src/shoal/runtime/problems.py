"""From exceptions to RFC 9457 problem details."""

import logging
from typing import Any

from shoal.errors import CallFailed, CallTimedOut, Conflict, Problem, Unavailable
from shoal.service.codec import Malformed, encode

CONTENT_TYPE = b"application/problem+json"

URN = "urn:shoal:problem:"
"""Prefix of the problem types that this framework names; the gateway's proxy uses the same."""

_log = logging.getLogger("shoal.request")


def to_problem(error: Exception) -> Problem:
    """Choose the answer for an exception; what was not foreseen says nothing of itself to the caller."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Malformed):
        return Problem(422, "invalid-request", str(error))
    if isinstance(error, TimeoutError | CallTimedOut):
        return Problem(504, "timeout", "the answer was not ready in time")
    if isinstance(error, CallFailed):
        return Problem(502, "upstream-failed", f"{error.target} did not answer as needed")
    if isinstance(error, Unavailable):
        return Problem(503, "unavailable", "try again shortly", headers={"Retry-After": "1"})
    if isinstance(error, Conflict):
        return Problem(409, "conflict", "the change contradicts what is stored")
    _log.error("request failed: %s", error, exc_info=error)
    return Problem(500, "internal-error", "the failure was recorded under the trace id")


def render(problem: Problem, trace_id: str) -> bytes:
    """Write the problem document."""
    document: dict[str, Any] = {
        "type": URN + problem.code,
        "title": problem.code.replace("-", " ").capitalize(),
        "status": problem.status,
    }
    if problem.detail:
        document["detail"] = problem.detail
    document["trace_id"] = trace_id
    return encode(document | problem.extra)
