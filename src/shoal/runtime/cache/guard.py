"""A cache that may be away: it is left alone for a moment then, and every step is measured."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shoal.drivers.base import Cache
from shoal.errors import EngineError, Unavailable
from shoal.runtime.metrics.registry import Metrics

T = TypeVar("T")

PAUSE = 0.5
"""Seconds for which a cache that did not answer is not asked again."""

TRIAL = 2.0
"""Seconds that whoever asks it then has for himself: the others do not wait for it with him."""

Step = Callable[[Cache], Awaitable[T]]


class Guarded:
    """Asks a cache."""

    def __init__(self, cache: Cache, metrics: Metrics) -> None:
        self.cache, self._metrics = cache, metrics
        self._away = False
        self._until = 0.0

    async def ask(self, name: str, step: Step[T]) -> T:
        """Take a step, or raise `Unavailable`; `name` is what it is measured as."""
        began = time.monotonic()
        if self._away and began < self._until:
            self.note(name, "away")
            raise Unavailable("the cache did not answer a moment ago", hint="try again in a second")
        trial = self._until = began + TRIAL
        try:
            found = await step(self.cache)
        except EngineError as error:
            self._away = isinstance(error, Unavailable)
            self._until = time.monotonic() + PAUSE
            self.note(name, "away" if self._away else "refused", time.monotonic() - began)
            raise
        except BaseException:  # its caller gave up, which says nothing of the cache: the next one may try at once
            if self._until == trial:
                self._until = began
            raise
        self._away = False
        self.note(name, "ok", time.monotonic() - began)
        return found

    async def attempt(self, name: str, step: Step[T], otherwise: T) -> T:
        """Take a step; `otherwise` when it fails."""
        try:
            return await self.ask(name, step)
        except EngineError:
            return otherwise

    def note(self, name: str, outcome: str, seconds: float = 0.0) -> None:
        """Count a step."""
        self._metrics.series("cache", name).observe(outcome, seconds)

    def count(self, function: str, outcome: str, seconds: float) -> None:
        """Count a call of a function whose results are kept."""
        self._metrics.series("cached", function).observe(outcome, seconds)
