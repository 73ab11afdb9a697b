"""What a run has seen, as a rule reads it."""

import msgspec


class SeenOperation(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of one operation of one service, whoever asked for it."""

    service: str
    endpoint: str
    count: int
    errors: int = 0
    """Answers of 5xx."""
    p50: float = 0.0
    """Seconds within which half of its answers came."""
    p99: float = 0.0
    """Seconds within which 99 of 100 came."""


class SeenCall(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of calls of one service to one operation of another."""

    caller: str
    callee: str
    endpoint: str
    count: int
    errors: int = 0
    p50: float = 0.0
    p99: float = 0.0
    most: int = 1
    """Most of them within one piece of work of the caller."""
    within: str = ""
    """The handler whose work that was: ``web.show_cart``; empty where nobody knows."""


class SeenEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of one type of events between two services; without a consumer, of those that nobody took."""

    event: str
    """`shoal.model.Event.id`."""
    producer: str
    consumer: str = ""
    count: int


class SeenSession(msgspec.Struct, frozen=True, kw_only=True):
    """Who was seen in a database."""

    database: str
    role: str
    """Who it said to be."""
    service: str = ""
    """Whose process it was; empty where nobody knows."""
    tables: tuple[str, ...] = ()
    """What it read or wrote there, where the engine counts that."""
    most: int = 0
    """Most sessions at a time."""


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    run: str
    """What it is called: ``run 14``."""
    seconds: float = 0.0
    """How long it was."""
    operations: tuple[SeenOperation, ...] = ()
    calls: tuple[SeenCall, ...] = ()
    events: tuple[SeenEvent, ...] = ()
    sessions: tuple[SeenSession, ...] = ()
