"""How large messages on streams may be, and how long they are kept. Pure data."""

LARGEST_MESSAGE = 272 * 1024
"""Bytes of a message of events: as much as an event may have, and its headers."""

KEPT = 7 * 86_400.0
"""Seconds after which a stream of events lets go of a message, whoever has read it."""
