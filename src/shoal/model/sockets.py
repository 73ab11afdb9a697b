"""A conversation in both directions: a WebSocket (RFC 6455). Pure data."""

from shoal.errors import DeclarationError
from shoal.model.data import Data

MESSAGE = 64 * 1024
"""Bytes of a message from a client where nothing else is said."""

MOST = 1024 * 1024
"""Bytes of a message that may be asked for: a server holds it whole."""

PROTOCOL = "shoal.json"
"""Subprotocol that is chosen where a client offers it; browsers want one chosen where they offer any."""

BEARER = "bearer."
"""How the offered subprotocol begins that is the caller's token: pages can set no header of an upgrade."""


class Socket(Data, frozen=True, kw_only=True):
    """An endpoint is upgraded to a WebSocket, on which messages are JSON texts."""

    events: tuple[str, ...] = ()
    """Ids of the events after which its `Watch` looks again."""
    largest: int = MESSAGE
    """Bytes of a message from the client; what is larger ends the conversation (1009)."""
    rate: float = 20.0
    """Messages each second that a client may send, on average; as many may come at once. Beyond, it ends (1008)."""
    idle: float = 300.0
    """Seconds in which neither side says anything, after which it ends (1001)."""

    def __post_init__(self) -> None:
        """Refuse bounds that let nothing through, or everything."""
        if not 1 <= self.largest <= MOST:
            raise DeclarationError(f"{self.largest} bytes are no size of a message", hint=f"use 1 to {MOST}")
        if not 0.1 <= self.rate <= 10_000:
            raise DeclarationError(f"{self.rate:g} messages a second are no rate", hint="use 0.1 to 10000")
        if not 0.1 <= self.idle <= 86_400:
            raise DeclarationError(f"{self.idle:g} s of silence are no bound", hint="use 0.1 to 86400")
