"""An answer that goes on: server-sent events. Pure data."""

from shoal.errors import DeclarationError
from shoal.model.data import Data

LONGEST = 3600.0
"""Seconds that a stream lasts when nothing is said; its client then comes back and goes on where it was."""


class Stream(Data, frozen=True, kw_only=True):
    """An endpoint answers with events as they come (``text/event-stream``)."""

    events: tuple[str, ...] = ()
    """Ids of the events after which it looks again."""
    heartbeat: float = 15.0
    """Seconds of silence after which a comment is sent, so that nobody on the way takes it for dead."""

    def __post_init__(self) -> None:
        """Refuse a pulse that proxies would not live to see."""
        if not 0.1 <= self.heartbeat <= 30:
            raise DeclarationError(f"a heartbeat each {self.heartbeat:g} s", hint="use 0.1 to 30: proxies end at 60")
