"""Note every event that ends kept answers, in the transaction of its handler where there is one."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from shoal.model.names import part_of
from shoal.runtime.answers.ends import ENDS
from shoal.runtime.consuming.desk import Subscriber
from shoal.runtime.projections.record import Whole
from shoal.runtime.request import Request
from shoal.runtime.side import Around
from shoal.runtime.transaction import UnitOfWork
from shoal.service import codec
from shoal.service.caching import HANDLER, POLICY, ending


class AnswersSide:
    """A `side.Side` without work of its own."""

    def __init__(self, around: Around) -> None:
        self._events = ending(around.service)
        self._metrics = around.metrics

    def compile(self, values: Mapping[Any, Any]) -> None:
        """Do nothing: nothing is injected."""

    def listen(self, handled: Mapping[str, Subscriber]) -> Mapping[str, Subscriber]:
        """Note the events that end kept answers, whichever version of them comes."""
        names = {event.rpartition(".v")[0]: event for event in self._events}
        found = {id_: self._noting(id_, names, inner) for id_, inner in handled.items()}
        for event in self._events.keys() - handled.keys():
            found[event] = Subscriber(
                name=HANDLER, handler=Ending(event, None), plan=Whole(None), codec=codec.Codec(msgspec.Raw),
                policy=POLICY, series=self._metrics.series("event", event),
            )  # fmt: skip
        return found

    def _noting(self, id_: str, names: Mapping[str, str], inner: Subscriber) -> Subscriber:
        event = names.get(id_.rpartition(".v")[0])
        if event is None:
            return inner
        return msgspec.structs.replace(inner, handler=Ending(event, inner), plan=Whole(inner.plan))

    def start(self) -> None:
        """Do nothing."""

    def leave(self) -> None:
        """Do nothing."""

    async def stop(self, drain: float) -> None:
        """Do nothing."""


class Ending:
    """Runs a handler, if there is one, and notes that its event came; both commit together."""

    def __init__(self, event: str, inner: Subscriber | None) -> None:
        self._event, self._inner = event, inner

    async def __call__(self, request: Request) -> None:
        """Handle what is at hand: one event, or several of one type."""
        if self._inner is not None:
            await self._inner.handler(**self._inner.plan.arguments(request))
        session = cast("UnitOfWork", request.transaction).session
        for event in request.events:
            part = f"{self._event}/{part_of(event.subject if isinstance(event.subject, str) else '')}"
            session.put(ENDS.table, {"part": part, "event": self._event, "latest": event.id})


def answers_side(around: Around) -> AnswersSide | None:
    """Make the side of a service whose caches end with events."""
    return AnswersSide(around) if ending(around.service) else None
