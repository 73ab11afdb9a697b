"""What a span says of a request that was served (semantic conventions for HTTP servers)."""

from collections.abc import Mapping
from typing import Any

import msgspec

from shoal.errors import Problem
from shoal.service.marks import Operation
from shoal.telemetry import conventions as names
from shoal.telemetry.spans import ERROR, Span, fixed

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
"""Others would make as many names of spans as anybody cares to invent."""


class Shown(msgspec.Struct, frozen=True):
    """How every request of one operation is shown."""

    title: str
    fixed: bytes


def shown(operation: Operation, service: str) -> Shown:
    """Write what every request of an operation has in common."""
    file, _, line = operation.source.rpartition(":")
    return Shown(
        f"{operation.method} {operation.path}",
        fixed(
            {
                names.HTTP_METHOD: operation.method,
                names.HTTP_ROUTE: operation.path,
                names.OPERATION: f"{service}.{operation.name}",
                names.CODE_FILE: file,
                names.CODE_LINE: int(line) if line.isdigit() else None,
            }
        ),
    )


def describe(
    span: Span,
    scope: Mapping[str, Any],
    known: Shown | None,
    status: int,
    failure: Exception | None,
    told: Mapping[str, Any],
) -> None:
    """Say what was asked for and what became of it; only what is our failure (5xx) is an error."""
    path = scope["path"]
    if known is None:
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        span.name = "HTTP" if method == "_OTHER" else method
        span.attributes = {names.HTTP_METHOD: method, names.URL_PATH: path, names.HTTP_STATUS: status}
    else:
        span.name, span.fixed = known.title, known.fixed
        told_before = span.attributes
        span.attributes = {names.URL_PATH: path, names.HTTP_STATUS: status}
        if told_before:
            span.attributes |= told_before
    if "problem" in told:
        span.set(names.PROBLEM, told["problem"])
    if status >= 500:
        if failure is None:
            span.status = ERROR
            span.set(names.ERROR_TYPE, str(status))
        else:
            span.fail(failure, stack=status == 500 and not isinstance(failure, Problem))
