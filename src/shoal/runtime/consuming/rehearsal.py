"""Find out what handling a dead letter would do, without doing it: a transaction on the real store, rolled back."""

import asyncio
import traceback
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import msgspec

from shoal.drivers.base import Mark, Message, Row, Session, Store, Table
from shoal.errors import ShoalError
from shoal.model.names import remembered
from shoal.runtime.config import ServiceConfig
from shoal.runtime.consuming.desk import Subscriber
from shoal.runtime.consuming.recorder import Recorder, Refuser, RefusingTransport, Withheld
from shoal.runtime.deadline import Budget
from shoal.runtime.envelope import Envelope, unpack
from shoal.runtime.failures import plain
from shoal.runtime.host import Fittings, Host
from shoal.runtime.privacy.opening import opener_of
from shoal.runtime.request import Request
from shoal.runtime.trace import Context, begin, current
from shoal.runtime.transaction import Announcer, UnitOfWork
from shoal.service import codec
from shoal.service.cache import NEEDING
from shoal.service.context import TokenIssuer
from shoal.service.declare import Service
from shoal.service.signature import provided_kind

PATIENCE = 30.0
"""Seconds that a handler gets in a dry run, if its own time is not shorter."""

_INSTALLED = ("site-packages", "dist-packages")
_OURS = str(Path(__file__).parents[2])


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What would become of one row."""

    table: str
    key: object
    before: Row | None
    """None when there is none."""
    after: Row | None


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """An event that would be announced."""

    type: str
    key: str
    data: msgspec.Raw


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """What handling a letter would do."""

    handler: str = ""
    changes: tuple[Change, ...] = ()
    statements: tuple[str, ...] = ()
    """SQL of the service's own, whose effects are not listed."""
    announced: tuple[Announcement, ...] = ()
    withheld: str = ""
    """What it would do outside of the store; it was not done, so that what comes after it is unknown."""
    error: str = ""
    where: str = ""
    """``file:line`` of the author's code at which it failed, or reached outside."""
    already: bool = False
    """Whether the inbox says that the event was handled: it would do nothing."""

    @property
    def succeeds(self) -> bool:
        """Whether the handler would end well, as far as a dry run can tell."""
        return not self.error and not self.withheld


class _Over(Exception):
    """Rolls back."""


async def rehearse(service: Service, config: ServiceConfig, store: Store, message: Message) -> Rehearsal:
    """Handle a message in a transaction that is rolled back; whatever lies outside the store refuses to be used."""
    try:
        envelope = unpack(message)
    except codec.Malformed as error:
        return Rehearsal(error=plain(str(error)))
    alone = msgspec.structs.replace(config, cache_url="")
    host = Host(service, alone, Fittings(transport=RefusingTransport(), store=store, overrides=_refusers(service)))
    subscriber = (await host.prepare()).get(envelope.type)
    if subscriber is None:
        return Rehearsal(error=f"nothing in {service.name} handles {envelope.type}")
    kept = host.store or store
    try:
        data = bytes(envelope.data)
        if subscriber.personal:
            data = (await opener_of(kept).open([(envelope.type, data)]))[0]
        event = subscriber.codec.decode(data)
    except codec.Malformed as error:
        return Rehearsal(handler=subscriber.name, error=f"its data is not what {subscriber.name} takes: {error}")
    if isinstance(envelope.time, datetime):
        mark = Mark(consumer=remembered(envelope.type), message_id=envelope.id, at=envelope.time)
        if await store.handled([mark]):
            return Rehearsal(handler=subscriber.name, already=True)
    return await _Stage(kept, host.announcer, subscriber).play(envelope, event)


class _Stage:
    """Where one handler is tried."""

    def __init__(self, store: Store, announcer: Announcer, subscriber: Subscriber) -> None:
        self._store, self._announcer, self._subscriber = store, announcer, subscriber

    async def play(self, envelope: Envelope, event: Any) -> Rehearsal:
        """Call the handler and look at what it has written."""
        budget = Budget(min(self._subscriber.policy.timeout, PATIENCE))
        context = Context(begin(), budget)
        current.set(context)
        request = Request({"path": "", "query_string": b""}, {}, (), context)
        request.body = [event] if self._subscriber.batch else event
        request.events = (envelope,)
        found = Rehearsal(handler=self._subscriber.name)
        try:
            async with self._store.session() as session:
                recorder = Recorder(session)
                request.transaction = UnitOfWork(cast("Session", recorder), self._announcer)
                found = await self._try(request, recorder, found)
                raise _Over  # noqa: TRY301 - nothing of it is to be committed
        except _Over:
            return found
        except ShoalError as error:  # the store's own: it has rolled back
            return msgspec.structs.replace(found, error=plain(error.message))

    async def _try(self, request: Request, recorder: Recorder, found: Rehearsal) -> Rehearsal:
        subscriber = self._subscriber
        try:
            async with asyncio.timeout(request.context.budget.remaining()):
                await subscriber.handler(**subscriber.plan.arguments(request))
                await cast("Session", recorder).flush()
        except Exception as error:  # noqa: BLE001 - the border: a handler may raise anything
            reached = plain(error.message) if isinstance(error, Withheld) else ""
            said = "" if reached else plain(f"{type(error).__name__}: {error}")
            found = msgspec.structs.replace(found, withheld=reached, error=said, where=_place(error))
        seen = await self._seen(recorder) if not found.error else ()
        return msgspec.structs.replace(
            found,
            changes=tuple(seen),
            statements=tuple(f"{' '.join(sql.split())}  {list(args)}" for sql, args in recorder.statements),
            announced=tuple(_announcement(message) for message in recorder.messages),
        )

    async def _seen(self, recorder: Recorder) -> list[Change]:
        """Compare the rows that were written with what is committed."""
        changes = []
        async with self._store.session() as outside:
            for (name, key), table in recorder.touched.items():
                if key is not None:
                    before, after = await outside.get(table, key), await recorder.get(table, key)
                    before, after = _masked(table, before), _masked(table, after)
                    changes.append(Change(table=name, key=key, before=before, after=after))
        return changes


def _masked(table: Table, row: Row | None) -> Row | None:
    """Show nothing personal of a row."""
    names = {column.name for column in table.personal}
    return row if row is None else {k: "***" if k in names and v is not None else v for k, v in row.items()}


def _refusers(service: Service) -> Mapping[Any, Any]:
    kinds = [provided_kind(provider) for provider in service.providers]
    return {kind: Refuser(getattr(kind, "__name__", str(kind))) for kind in [*kinds, TokenIssuer, *NEEDING]}


def _announcement(message: Message) -> Announcement:
    envelope = unpack(message)
    return Announcement(type=envelope.type, key=message.key, data=envelope.data)


def _place(error: BaseException) -> str:
    """Find the author's last line on the way to an error."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(_OURS) and not any(word in frame.filename for word in _INSTALLED)
    ]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
