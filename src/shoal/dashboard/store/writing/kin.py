"""Calls whose span does not say which service it called: found by the span of whoever answered.

The child may come before its parent, or never, when what was called tells nothing. So a call waits some seconds for who
answered, and is then counted as a way to the address that it names.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from shoal.dashboard.store.records import Span
from shoal.dashboard.store.writing.edges import Edge

PATIENCE = 15.0
"""Seconds in which who answered has to tell."""

_REMEMBERED = 20_000

_Key = tuple[bytes, int]


class Kin:
    """Joins calls to those who answered.

    Args:
        count: Called with a way, and the span of the call on it.
    """

    def __init__(self, count: Callable[[Edge, Span], None]) -> None:
        self._count = count
        self._calls: OrderedDict[_Key, tuple[float, Span]] = OrderedDict()
        self._answered: OrderedDict[_Key, str] = OrderedDict()

    def called(self, span: Span) -> None:
        """Note a call; what answered it may be known."""
        service = self._answered.pop((span.trace, span.span), None)
        if service is not None:
            self._join(span, service)
        else:
            self._calls[span.trace, span.span] = time.monotonic(), span

    def answered(self, span: Span) -> None:
        """Note who answered a call that is known, or may come."""
        known = self._calls.pop((span.trace, span.parent), None)
        if known is not None:
            self._join(known[1], span.resource.service)
            return
        self._answered[span.trace, span.parent] = span.resource.service
        if len(self._answered) > _REMEMBERED:
            self._answered.popitem(last=False)

    def give_up(self, patience: float = PATIENCE) -> None:
        """Count calls that have waited so long by the address that they name."""
        until = time.monotonic() - patience
        while self._calls and (next(iter(self._calls.values()))[0] <= until or len(self._calls) > _REMEMBERED):
            _, (_, span) = self._calls.popitem(last=False)
            address = span.attributes.get("server.address") or span.attributes.get("net.peer.name")
            if address:
                self._join(span, str(address))

    def forget(self) -> None:
        """Leave what is in memory."""
        self._calls.clear()
        self._answered.clear()

    def _join(self, span: Span, target: str) -> None:
        if target != span.resource.service:
            self._count(Edge(span.resource.service, target, "call", span.name), span)
