"""Subscribers that note what projections hear: alone, or in the transaction of the handler that hears it too."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

import msgspec

from shoal.errors import ShoalError
from shoal.runtime.consuming.desk import Subscriber
from shoal.runtime.envelope import Envelope
from shoal.runtime.inject import Plan
from shoal.runtime.metrics.registry import Metrics, Series
from shoal.runtime.projections.journal import note
from shoal.runtime.projections.tables import PARKED, Entry
from shoal.runtime.request import Request
from shoal.runtime.transaction import UnitOfWork
from shoal.service import codec
from shoal.service.declare import Service
from shoal.service.marks import EventMark
from shoal.service.projecting import JOURNAL, POLICY, heard_by
from shoal.service.signature import Signature


class Whole(Plan):
    """Hands the request on as it is, for the handler's own plan to read."""

    __slots__ = ("_inner",)

    def __init__(self, inner: Plan | None) -> None:
        super().__init__(Signature(params=(), returns=None, source=""), (), {})
        self._inner = inner
        self.only_transaction = inner is None or inner.only_transaction
        self.only_store = inner is None or inner.only_store

    def arguments(self, request: Request) -> dict[str, Any]:
        """Give the request itself."""
        return {"request": request}


class Noter:
    """Runs a handler, if there is one, and notes its event in the journal; both commit together."""

    def __init__(
        self, mark: EventMark, inner: Subscriber | None, series: Series, *, partial: bool, poke: Callable[[], None]
    ) -> None:
        self._mark, self._inner, self._series = mark, inner, series
        self._partial, self._poke = partial, poke

    async def __call__(self, request: Request) -> None:
        """Handle what is at hand: one event, or several of one type."""
        if self._inner is not None:
            await self._inner.handler(**self._inner.plan.arguments(request))
        session = cast("UnitOfWork", request.transaction).session
        for event in request.events:
            began = time.perf_counter()
            noted = await note(session, entry_of(event, self._mark), partial=self._partial)
            self._series.observe(noted, time.perf_counter() - began)
        self._poke()


def recording(
    service: Service, handled: Mapping[str, Subscriber], metrics: Metrics, poke: Callable[[], None]
) -> dict[str, Subscriber]:
    """Return the subscribers of a service, so that what projections hear is noted as well.

    Args:
        service: Whose projections.
        handled: Its compiled handlers, by event id.
        metrics: Where events that only projections hear are counted.
        poke: Told of each noted event, perhaps before it is committed.
    """
    partial = {id_ for p in service.projections if p.partial for h in p.hearings for id_ in h.heard}
    found = dict(handled)
    for id_, mark in heard_by(service).items():
        inner = handled.get(id_)
        recorder = Noter(mark, inner, metrics.series("journal", id_), partial=id_ in partial, poke=poke)
        if inner is not None:
            found[id_] = msgspec.structs.replace(inner, handler=recorder, plan=Whole(inner.plan))
        else:
            found[id_] = Subscriber(
                name=JOURNAL, handler=recorder, plan=Whole(None), codec=codec.Codec(msgspec.Raw), policy=POLICY,
                series=metrics.series("event", id_),
            )  # fmt: skip
    return found


def entry_of(event: Envelope, mark: EventMark) -> Entry:
    """Make the journal's entry of an event."""
    subject = event.subject if isinstance(event.subject, str) else ""
    return Entry(
        id=f"{event.type}/{event.id}",
        ordinal=PARKED,
        type=event.type,
        key=f"{mark.name.partition('.')[0]}/{subject}" if subject else "",
        number=_number(event, mark),
        time=event.time if isinstance(event.time, datetime) else None,
        data=bytes(event.data),
        trace=event.traceparent if isinstance(event.traceparent, str) else None,
    )


def _number(event: Envelope, mark: EventMark) -> int | None:
    if not mark.sequence:
        return None
    fields: object = msgspec.json.decode(event.data)
    number = fields.get(mark.sequence) if isinstance(fields, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ShoalError(
            f"event {event.id} of type {mark.id} is numbered {number!r} by {mark.sequence!r}",
            hint="its owner numbers the events of a key from 1 without gaps",
            where=mark.source,
        )
    return number
