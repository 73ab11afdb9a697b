"""Who competes, and what a process of theirs is told."""

import msgspec

SQL, ROWS, BATCHES = "Shoal", "Shoal, get and put", "Shoal, batches"
INBOX, BY_BATCH, AS_IS = "FastStream with an inbox", "FastStream with an inbox, batches", "FastStream as it is"
BARE = "fetch and ack"
NAMES = (SQL, ROWS, BATCHES, INBOX, BY_BATCH, AS_IS, BARE)

SERVICES = {SQL: "sql", ROWS: "rows", BATCHES: "batches"}
"""Shoal's contestants, and what their services are called."""

TWICE = (AS_IS, BARE)
"""Those that do not know what they have handled."""


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is told."""

    kind: str
    broker: str
    store: str
    system: str
    stream: str
    subject: str
    durable: str


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The process consumes."""
