"""A read model that follows from events, as pure data."""

import msgspec


class Projection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One read model of a service."""

    name: str
    version: int = 1
    """Version of its handlers: a model that an older one has built is to be rebuilt."""
    events: tuple[str, ...]
    """Ids of the events that it is made of, older versions included."""
    tables: tuple[str, ...]
    """Where its records live."""
    partial: bool = False
    """Whether it may begin in the middle of a numbered sequence of events."""
    source: str = ""
