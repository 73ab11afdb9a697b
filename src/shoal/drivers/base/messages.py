"""Messages on their way from an outbox, through a broker, into inboxes."""

from collections.abc import Mapping
from datetime import datetime

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message as a broker carries it."""

    id: str
    """Unique; a broker may use it to drop what it already stored."""
    subject: str
    body: bytes
    headers: Mapping[str, str] = {}
    key: str = ""
    """Messages of one key keep their order; empty when it does not matter. Brokers need not carry it."""


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """An outbox row that is not yet acknowledged by the broker."""

    position: int
    message: Message


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """An outbox row and its place in the broker's stream."""

    position: int
    sequence: int


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """An outbox row, as an auditor reads it."""

    position: int
    id: str
    subject: str
    key: str
    at: datetime
    """When it was written."""
    sequence: int | None
    """Its place in the broker's stream; None while it is not acknowledged."""
    refused: str = ""
    """Why the broker does not take it; empty when it does."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer's record of a message that it handled."""

    consumer: str
    message_id: str
    at: datetime
    """When the message was *made*: a part of its identity, by which old marks are let go of in one piece."""
