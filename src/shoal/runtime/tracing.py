"""`Trace` as handlers see it."""

from collections.abc import Mapping
from contextlib import AbstractContextManager

from shoal.runtime.recording import present, within
from shoal.runtime.trace import current
from shoal.service.tracing import Attribute
from shoal.telemetry.conventions import PEER_SERVICE
from shoal.telemetry.masking import HIDDEN, is_secret
from shoal.telemetry.spans import CLIENT, INTERNAL


class Tracing:
    """Implements `shoal.Trace`; one for all, since the work at hand says where it stands."""

    @property
    def id(self) -> str:
        """The trace's identifier."""
        context = current.get()
        return "" if context is None else context.trace.trace_id

    def set(self, key: str, value: Attribute) -> None:
        """Add an attribute to the present span."""
        span = present()
        if span is not None:
            span.set(key, HIDDEN if is_secret(key) else value)

    def event(self, name: str, attributes: Mapping[str, Attribute] | None = None) -> None:
        """Note that something happened."""
        span = present()
        if span is not None:
            span.note(name, _told(attributes))

    def span(self, name: str, attributes: Mapping[str, Attribute] | None = None) -> AbstractContextManager[object]:
        """Record a block; one that names a peer is a call to it."""
        kind = CLIENT if PEER_SERVICE in (attributes or ()) else INTERNAL
        return within(name, kind, attributes=_told(attributes))


def _told(attributes: Mapping[str, Attribute] | None) -> dict[str, object]:
    return {key: HIDDEN if is_secret(key) else value for key, value in (attributes or {}).items()}


TRACING = Tracing()
