"""What authors add to the trace of the work at hand."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

Attribute = str | bool | int | float | Sequence[str] | Sequence[bool] | Sequence[int] | Sequence[float]
"""What an attribute may hold."""


class Trace(Protocol):
    """The trace of the work at hand, which a handler or a provider may ask for.

    Where nothing is recorded, all of it does nothing. What is added is exported: keep personal data out of it; known
    secrets and attributes whose name says that they are secret are hidden.
    """

    @property
    def id(self) -> str:
        """The trace's identifier, 32 hexadecimal digits: what answers say in ``X-Trace-Id``; empty outside of any."""
        ...

    def set(self, key: str, value: Attribute) -> None:
        """Add an attribute to the present span."""
        ...

    def event(self, name: str, attributes: Mapping[str, Attribute] | None = None) -> None:
        """Note that something happened within the present span, now."""
        ...

    def span(self, name: str, attributes: Mapping[str, Attribute] | None = None) -> AbstractContextManager[object]:
        """Record what is done in a ``with`` block as a span of its own; an exception that leaves it makes it fail.

        With an attribute ``peer.service`` it is a call to whom that names: the map of the dashboard draws a way to it.
        """
        ...
