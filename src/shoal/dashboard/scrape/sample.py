"""One value that an engine told, and the engines that can be asked."""

import json
from typing import Literal, NamedTuple, Protocol

from shoal.dashboard.store.records import Point, Resource


class Sample(NamedTuple):
    """A value of a metric."""

    name: str
    value: float
    kind: Literal["gauge", "sum"] = "gauge"
    """A sum only grows, from the start of the engine."""
    unit: str = ""
    attributes: dict[str, str] = {}  # noqa: RUF012 - a NamedTuple's default, which nobody changes

    def point(self, who: Resource, at: float) -> Point:
        """Make it what the store takes; `at` in seconds since 1970."""
        labels = json.dumps(self.attributes, sort_keys=True, ensure_ascii=False)
        return Point(
            resource=who,
            name=self.name,
            unit=self.unit,
            kind=self.kind,
            cumulative=True,
            attributes=labels,
            at=int(at * 1e6),
            value=self.value,
        )


class Source(Protocol):
    """An engine of a run."""

    @property
    def engine(self) -> str:
        """Such as ``nats``: what it is called where services have their name."""
        ...

    @property
    def name(self) -> str:
        """Which one, where there are several."""
        ...

    async def ask(self) -> list[Sample]:
        """Ask it.

        Raises:
            OSError: It does not answer.
            EngineError: It refuses.
            ValueError: Its answer is not as expected.
        """
        ...
