"""Lines of the gateway's access log to spans.

Envoy has no tracer here: two filters begin the trace, and say in ``traceparent`` to everyone behind which span is the
gateway's (`shoal.mesh.tracing`). The same header is in the log, so the span that is made of a line is the parent of
the service's own. Who called the gateway is not in the log; there the trace begins.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime

import msgspec

from shoal.dashboard.store.records import ERROR, KINDS, Resource, Span, signed
from shoal.dashboard.store.writing.edges import GATEWAY
from shoal.mesh.edge import EDGE
from shoal.mesh.hopline import HopLine, read

MARK = f'"hop":"{EDGE}"'.encode()
"""What a line of the gateway has in it, and no other line."""

_SERVER = KINDS.index("server")
_VIA = "via_upstream"


def gateway(system: str) -> Resource:
    """Describe who tells."""
    told = {"service.instance.id": GATEWAY, "service.name": GATEWAY, "service.namespace": system}
    return Resource(GATEWAY, GATEWAY, msgspec.json.encode(told).decode())


def span_of(raw: bytes, who: Resource, routes: Mapping[str, str]) -> Span | None:
    """Make a span of a line; None for a line of another hop, or one that was cut short.

    Args:
        raw: The line.
        who: The gateway; see `gateway`.
        routes: ``service.endpoint`` → path template under which clients find it.
    """
    line = read(raw) if MARK in raw else None
    if line is None:
        return None
    try:
        began = datetime.fromisoformat(line.time)
    except ValueError:
        return None
    trace, span = _identifiers(line)
    template = routes.get(line.route, "")
    failed = line.status >= 500 or line.status == 0
    return Span(
        who, trace, span, 0, f"{line.method} {template}".strip() or "HTTP", _SERVER, round(began.timestamp() * 1e6),
        line.duration_us or line.duration_ms * 1000, ERROR if failed else 0, _why(line) if failed else "",
        _attributes(line, template), [], [],
    )  # fmt: skip


def _identifiers(line: HopLine) -> tuple[bytes, int]:
    """Read the trace and the gateway's span off the line; what never had any gets some of its own."""
    parts = line.traceparent.split("-")
    try:
        trace, span = bytes.fromhex(line.trace), bytes.fromhex(parts[2] if len(parts) > 3 else "")
    except ValueError:
        trace, span = b"", b""
    own = hashlib.blake2b(f"{line.request_id} {line.time} {line.path}".encode(), digest_size=24).digest()
    return (trace if len(trace) == 16 else own[:16]), signed(span if len(span) == 8 else own[16:])


def _attributes(line: HopLine, template: str) -> dict[str, object]:
    told: dict[str, object] = {
        "http.request.method": line.method,
        "http.response.status_code": line.status,
        "http.response.body.size": line.bytes_sent,
        "url.path": line.path,
        "server.address": line.authority,
        "http.route": template,
        "shoal.operation": line.route,
        "shoal.upstream": line.callee if line.cluster or template else "",
        "shoal.flags": line.flags.strip("-"),
        "shoal.details": "" if line.details == _VIA else line.details,
        "shoal.request_id": line.request_id,
        "shoal.attempts": line.attempts if line.attempts > 1 else "",
        "error.type": str(line.status) if line.status >= 500 else "" if line.status else "no-answer",
    }
    return {key: value for key, value in told.items() if value not in ("", None)}


def _why(line: HopLine) -> str:
    return " ".join(word for word in (line.flags.strip("-"), line.details, line.failure) if word)
