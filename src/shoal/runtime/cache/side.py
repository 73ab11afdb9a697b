"""Events that end kept results: removed when the event is handled, and again once that has committed.

Once is not enough: whoever made the result anew in between made it from data that the commit has changed.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from shoal.runtime.cache.remember import Remembered
from shoal.runtime.consuming.desk import Subscriber
from shoal.runtime.projections.record import Whole
from shoal.runtime.request import Request
from shoal.runtime.side import Around
from shoal.runtime.transaction import UnitOfWork
from shoal.service import codec
from shoal.service.cached import CachedFunction, forgetting, spelled
from shoal.service.caching import HANDLER, POLICY


class ForgettingSide:
    """A `side.Side` without work of its own but for what follows a commit."""

    def __init__(self, around: Around, remembered: Remembered) -> None:
        self._functions = forgetting(around.service)
        self._metrics, self._remembered = around.metrics, remembered
        self._after: set[asyncio.Task[None]] = set()

    def compile(self, values: Mapping[Any, Any]) -> None:
        """Do nothing: nothing is injected."""

    def listen(self, handled: Mapping[str, Subscriber]) -> Mapping[str, Subscriber]:
        """Hear the events that end results, whichever version of them comes."""
        families = {event.rpartition(".v")[0]: event for event in self._functions}
        found = dict(handled)
        for id_, inner in handled.items():
            event = families.get(id_.rpartition(".v")[0])
            if event is not None:
                handler = Forgetting(self, self._functions[event], inner)
                found[id_] = msgspec.structs.replace(inner, handler=handler, plan=Whole(inner.plan))
        for event in self._functions.keys() - handled.keys():
            found[event] = Subscriber(
                name=HANDLER, handler=Forgetting(self, self._functions[event], None), plan=Whole(None),
                codec=codec.Codec(msgspec.Raw), policy=POLICY, series=self._metrics.series("event", event),
            )  # fmt: skip
        return found

    def start(self) -> None:
        """Do nothing."""

    def leave(self) -> None:
        """Do nothing."""

    async def stop(self, drain: float) -> None:
        """Finish what follows the last commits."""
        if self._after:
            await asyncio.wait(self._after, timeout=drain)

    async def forget(self, keys: list[str]) -> None:
        """End results now."""
        await self._remembered.forget(keys)

    def forget_soon(self, keys: list[str]) -> None:
        """End results without waiting for it."""
        task = asyncio.get_running_loop().create_task(self._remembered.forget(keys))
        self._after.add(task)
        task.add_done_callback(self._after.discard)


class Forgetting:
    """Runs a handler, if there is one, and ends the results of the events' keys."""

    def __init__(self, side: ForgettingSide, functions: tuple[CachedFunction, ...], inner: Subscriber | None) -> None:
        self._side, self._functions, self._inner = side, functions, inner

    async def __call__(self, request: Request) -> None:
        """Handle what is at hand: one event, or several of one type."""
        if self._inner is not None:
            await self._inner.handler(**self._inner.plan.arguments(request))
        subjects = {event.subject for event in request.events if isinstance(event.subject, str)}
        keys = [function.key(spelled([subject])) for function in self._functions for subject in sorted(subjects)]
        await self._side.forget(keys)
        cast("UnitOfWork", request.transaction).then(lambda: self._side.forget_soon(keys))


def forgetting_side(around: Around) -> ForgettingSide | None:
    """Make the side of a service whose results end with events."""
    if around.remembered is None or not forgetting(around.service):
        return None
    return ForgettingSide(around, around.remembered)
