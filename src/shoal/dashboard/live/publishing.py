"""Announce an event by hand: tried first at everybody who hears it, then put into its owner's outbox."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from shoal import model
from shoal.dashboard.live.events import found
from shoal.drivers.base import Message
from shoal.errors import ShoalError
from shoal.operating.engines import Engines
from shoal.runtime.config import ServiceConfig
from shoal.runtime.consuming.rehearsal import Rehearsal, rehearse
from shoal.runtime.envelope import pack
from shoal.runtime.trace import begin
from shoal.service import codec
from shoal.service.marks import EventMark


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """An event that waits for its broker."""

    id: str
    type: str
    trace_id: str


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What one consumer would do with it."""

    service: str
    rehearsal: Rehearsal


def message(running: Engines, id_: str, data: Any) -> tuple[str, Message, str]:
    """Make the message of an event; return its owner, the message and the trace's id.

    Raises:
        DeclarationError: There is no such event.
        ShoalError: The data is not what it asks for, or holds what only its owner may seal.
    """
    owner, event = found(running.plan.system, id_)
    _refuse_personal(owner, id_)
    kind, mark = _declared(running, owner.name, id_)
    try:
        value = codec.from_plain(data, kind)
    except codec.Malformed as error:
        raise ShoalError(
            f"this is no {id_}: {error}", hint="correct the data; nothing was announced", where=event.source
        ) from error
    trace = begin()
    made = pack(running.plan.system.name, owner.name, mark, value, now=datetime.now(UTC), trace=trace)
    return owner.name, made, trace.header().split("-")[1]


async def publish(running: Engines, id_: str, data: Any) -> Announced:
    """Put an event into its owner's outbox, in a transaction of its own; raises as `message` does."""
    owner, made, trace = message(running, id_, data)
    async with running.store(owner) as store, store.session() as session:
        session.publish(made)
    return Announced(id=made.id, type=id_, trace_id=trace)


async def try_out(running: Engines, id_: str, data: Any) -> list[Tried]:
    """Find out what everybody who hears an event would do with it, without doing it; raises as `message` does."""
    _, made, _ = message(running, id_, data)
    hearing = [s.name for s in running.plan.system.services if any(id_ in h.heard for h in s.subscriptions)]
    tried = []
    for name in hearing:
        config = ServiceConfig.from_environ(running.environment(name))
        async with running.store(name) as store:
            tried.append(Tried(service=name, rehearsal=await rehearse(running.declaration(name), config, store, made)))
    return tried


def _declared(running: Engines, owner: str, id_: str) -> tuple[type[Any], EventMark]:
    for kind in running.declaration(owner).publishes:
        mark: EventMark = kind.__shoal_event__  # type: ignore[attr-defined]
        if mark.id == id_:
            return kind, mark
    raise ShoalError(f"{owner} does not announce {id_} any more", hint="load the page again")


def _refuse_personal(owner: model.Service, id_: str) -> None:
    sealed = [name.rpartition(".")[2] for name in owner.personal if name.startswith(f"{id_}.")]
    if sealed:
        raise ShoalError(
            f"{id_} carries personal data ({', '.join(sealed)}), which only {owner.name} seals",
            hint=f"let {owner.name} announce it: call one of its endpoints",
        )
