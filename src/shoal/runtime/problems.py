"""From exceptions to RFC 9457 problem details."""

import logging
import math
from typing import Any

from shoal.errors import (
    CallFailed,
    CallTimedOut,
    CircuitOpen,
    Conflict,
    OutboxFull,
    Problem,
    TimedOut,
    Unavailable,
    Unstorable,
)
from shoal.runtime.failures import asked
from shoal.service.codec import Malformed, encode

CONTENT_TYPE = b"application/problem+json"

URN = "urn:shoal:problem:"
"""Prefix of the problem types that this framework names; the gateway's proxy uses the same."""

_log = logging.getLogger("shoal.request")

_UNFORESEEN = 500
"""Status of the answer to what nobody foresaw."""


def to_problem(error: Exception) -> Problem:
    """Choose the answer for an exception, and log what the caller is not told."""
    answer = problem_of(error)
    if isinstance(error, Unstorable):
        _log.warning("request has a value that cannot be stored: %s", error.message)
    elif isinstance(error, Problem) and answer is not error:
        _log.error("a problem has status %d, which is no failure", error.status, exc_info=error)
    elif answer is not error and answer.status == _UNFORESEEN:
        _log.error("request failed: %s", error, exc_info=error)
    return answer


def problem_of(error: Exception) -> Problem:
    """Say which answer an exception gets; what was not foreseen says nothing of itself to the caller."""
    match error:
        case Problem() if 400 <= error.status <= 599:
            answer = error
        case Malformed():
            answer = Problem(422, "invalid-request", str(error))
        case TimeoutError() | CallTimedOut() | TimedOut():
            answer = Problem(504, "timeout", "the answer was not ready in time")
        case CallFailed():
            answer = _call_failed(error)
        case OutboxFull():
            answer = Problem(503, "outbox-full", f"{error.message}; {error.hint}", headers={"Retry-After": "5"})
        case Unavailable():
            after = {"Retry-After": str(max(1, math.ceil(asked(error))))}
            answer = Problem(503, "unavailable", "try again shortly", headers=after)
        case Unstorable():
            answer = Problem(422, "invalid-request", "a value is too large, or has a character that cannot be stored")
        case Conflict():
            answer = Problem(409, "conflict", "the change contradicts what is stored")
        case _:
            answer = Problem(_UNFORESEEN, "internal-error", "the failure was recorded under the trace id")
    return answer


def _call_failed(error: CallFailed) -> Problem:
    if isinstance(error, CircuitOpen):
        after = {"Retry-After": str(max(1, math.ceil(error.after)))}
        return Problem(503, "unavailable", "a service that it needs is failing", headers=after)
    return Problem(502, "upstream-failed", f"{error.target} did not answer as needed")


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
