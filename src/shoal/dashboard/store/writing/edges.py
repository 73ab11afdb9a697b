"""From one span, the way that something took between services, events and stores.

The attributes are those of OpenTelemetry's semantic conventions for HTTP, databases and messaging.
"""

from typing import NamedTuple

from shoal.dashboard.store.records import KINDS, Span

GATEWAY = "gateway"

_SERVER, _CLIENT, _PRODUCER, _CONSUMER = (KINDS.index(name) for name in ("server", "client", "producer", "consumer"))


class Edge(NamedTuple):
    """A way from one to another."""

    source: str
    target: str
    kind: str
    """``call``, ``event`` or ``store``."""
    name: str


def edge_of(span: Span) -> Edge | None:
    """Say which way a span took; None for one that stays in its service.

    The attempts of a call are no ways of their own.
    """
    service, told = span.resource.service, span.attributes
    if span.kind == _CLIENT:
        return _client(service, span)
    if span.kind in (_PRODUCER, _CONSUMER):
        event = told.get("messaging.destination.name")
        if not event:
            return None
        pair = (service, str(event)) if span.kind == _PRODUCER else (str(event), service)
        return Edge(*pair, "event", str(event))
    if span.kind == _SERVER and service == GATEWAY and told.get("shoal.upstream"):
        return Edge(GATEWAY, str(told["shoal.upstream"]), "call", span.name)
    return None


def _client(service: str, span: Span) -> Edge | None:
    told = span.attributes
    system = told.get("db.system.name") or told.get("db.system")
    if system:
        return Edge(service, f"{service}/{system}", "store", span.name)
    target = told.get("peer.service")
    return Edge(service, str(target), "call", span.name) if target and not _again(span) else None


def asks(span: Span) -> bool:
    """Say whether a span is a call that does not name the service it called."""
    told = span.attributes
    if span.kind != _CLIENT or _again(span) or "peer.service" in told:
        return False
    return "db.system.name" not in told and "db.system" not in told


def answers(span: Span) -> bool:
    """Say whether a span is the answer to somebody's call."""
    return span.kind == _SERVER and span.parent != 0


def _again(span: Span) -> bool:
    return span.name.startswith("attempt")
