"""Hand events to their handlers: effect and inbox mark commit together, failures come again, poison is set aside."""

import asyncio
import contextlib
import logging
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from shoal.drivers.base import Broker, Consumer, Delivery, Mark, Message, Published, Store
from shoal.errors import CallFailed, Conflict, Duplicate, EngineError, Unavailable
from shoal.model.names import dead_letter_subject
from shoal.model.service import Policy
from shoal.runtime.deadline import Budget
from shoal.runtime.envelope import Envelope, unpack
from shoal.runtime.inject import Plan
from shoal.runtime.logs import Journal
from shoal.runtime.metrics import Series
from shoal.runtime.request import Request
from shoal.runtime.trace import Context, Trace, current, resume
from shoal.runtime.transaction import Announcer, UnitOfWork
from shoal.service import codec

BATCH = 64
"""Deliveries taken at a time; all are answered before the next are taken."""

WAIT = 5.0
"""Seconds that one look waits for the first delivery."""

LONGEST_BACKOFF = 30.0

STRANGE_ATTEMPTS = 20
"""Deliveries of an event that no handler here knows, until it becomes a dead letter: some eight minutes, in which a
replica with newer code may take it."""

MOST_NOTES = 10_000
"""Messages of which it is remembered how often an outage kept them from being handled."""

_NOT_REACHED = (0, 502, 503)
"""Statuses of a call that found its callee absent."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")

_log = logging.getLogger("shoal.consumer")


class Subscriber(msgspec.Struct, frozen=True, kw_only=True):
    """One compiled handler of events."""

    name: str
    handler: Callable[..., Awaitable[Any]]
    plan: Plan
    codec: codec.Codec[Any]
    policy: Policy
    series: Series


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What the consumers of one service share."""

    system: str
    service: str
    store: Store
    broker: Broker
    announcer: Announcer
    subscribers: Mapping[str, Subscriber]
    """By event id."""
    journal: Journal | None
    poke: Callable[[], None]


class ConsumerLoop:
    """Works off one durable subscription."""

    def __init__(self, desk: Desk, consumer: Consumer) -> None:
        self._desk, self._consumer = desk, consumer
        self._stopping = asyncio.Event()
        self._in_hand: set[Delivery] = set()
        self._outages: dict[str, int] = {}

    def stop(self) -> None:
        """Take no further deliveries; those in hand are finished."""
        self._stopping.set()

    async def run(self) -> None:
        """Take and handle until stopped, through every outage of broker and store."""
        beating = asyncio.create_task(self._beat())
        try:
            await self._work()
        finally:
            beating.cancel()

    async def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                deliveries = await self._next()
            except EngineError as error:
                _log.warning("cannot take from %s: %s", self._consumer.stream, error)
                await asyncio.sleep(0.5 + random.random() / 2)  # noqa: S311 - jitter
                continue
            except Exception:  # noqa: BLE001 - the loop must go on, whatever a driver raises
                _log.exception("taking from %s failed", self._consumer.stream)
                await asyncio.sleep(1 + random.random())  # noqa: S311 - jitter
                continue
            self._in_hand.update(deliveries)
            await asyncio.gather(*(self._in_order(group) for group in _by_key(deliveries)))

    async def _beat(self) -> None:
        """Say of everything in hand that it is worked on: only a dead member's deliveries go elsewhere."""
        while True:
            await asyncio.sleep(self._consumer.ack_wait / 3)
            for delivery in tuple(self._in_hand):
                with contextlib.suppress(EngineError):
                    await delivery.progress()

    async def _next(self) -> Sequence[Delivery]:
        """Fetch, but give up the wait when asked to stop."""
        fetching = asyncio.ensure_future(self._desk.broker.fetch(self._consumer, BATCH, WAIT))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({fetching, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return await fetching if fetching.done() else ()
        finally:
            fetching.cancel()
            stopping.cancel()

    async def _in_order(self, group: Sequence[tuple[Delivery, Envelope | None]]) -> None:
        for delivery, envelope in group:
            await asyncio.create_task(self._handle(delivery, envelope))

    async def _handle(self, delivery: Delivery, envelope: Envelope | None) -> None:
        try:
            if envelope is None:
                await self._bury(delivery, "the message is not a CloudEvent")
            elif (subscriber := self._desk.subscribers.get(envelope.type)) is None:
                await self._pass_on(delivery, envelope)
            else:
                await self._attempt(delivery, envelope, subscriber)
        except EngineError as error:
            _log.warning("a delivery of %s stays unanswered and will come again: %s", delivery.message.id, error)
        except Exception:  # noqa: BLE001 - the loop must go on, whatever a driver raises
            _log.exception("a delivery of %s stays unanswered and will come again", delivery.message.id)
        finally:
            self._in_hand.discard(delivery)

    async def _attempt(self, delivery: Delivery, envelope: Envelope, subscriber: Subscriber) -> None:
        started = time.perf_counter()
        header = envelope.traceparent if isinstance(envelope.traceparent, str) else None
        trace = resume(header)
        current.set(Context(trace, Budget(subscriber.policy.timeout)))
        try:
            await self._apply(_mark(delivery, envelope), envelope, subscriber)
        except Exception as error:  # noqa: BLE001 - the border: a handler may raise anything
            outcome = await self._failed(delivery, envelope, subscriber, error)
        else:
            outcome = "ok"
            await self._done(delivery)
        subscriber.series.observe(outcome, time.perf_counter() - started)
        self._account(envelope, subscriber, trace, outcome, delivery.attempt, time.perf_counter() - started)

    async def _apply(self, mark: Mark, envelope: Envelope, subscriber: Subscriber) -> None:
        """Run the handler and commit its effect with the inbox mark, or neither.

        The mark's own conflict tells a repetition, which saves a look-up, unless the handler does something that no
        rollback undoes, such as sending a mail.
        """
        context = current.get()
        if context is None:
            raise RuntimeError("unreachable: set by the caller")
        request = Request({"path": "", "query_string": b""}, {}, (), context)
        request.body = subscriber.codec.decode(bytes(envelope.data))
        async with asyncio.timeout(subscriber.policy.timeout):
            if not subscriber.plan.only_transaction and await self._desk.store.handled([mark]):
                raise Duplicate("this message was already handled")
            await self._commit(mark, subscriber, request)

    async def _commit(self, mark: Mark, subscriber: Subscriber, request: Request) -> None:
        async with self._desk.store.session() as session:
            session.accept(mark)
            unit = UnitOfWork(session, self._desk.announcer)
            request.transaction = unit
            if not subscriber.plan.only_transaction:
                await session.flush()  # whoever else has this event waits for our end
            await subscriber.handler(**subscriber.plan.arguments(request))
        if unit.published:
            self._desk.poke()

    async def _failed(self, delivery: Delivery, envelope: Envelope, subscriber: Subscriber, error: Exception) -> str:
        """Decide what becomes of a failed delivery; an absent engine or service is never the message's fault."""
        if isinstance(error, Conflict) and await self._desk.store.handled([_mark(delivery, envelope)]):
            await self._done(delivery)
            return "duplicate"
        policy, outage = subscriber.policy, _is_outage(error)
        if delivery.attempt - self._note(delivery, outage) >= policy.attempts and not outage:
            await self._bury(delivery, f"{type(error).__name__}: {error}")
            _log.error("%s gave up after %d attempts: %s", subscriber.name, delivery.attempt, error, exc_info=error)
            return "dead"
        await delivery.retry(_delay(policy.backoff, delivery.attempt))
        most = "any number" if outage else policy.attempts
        trouble = error if delivery.attempt == 1 and not outage else None
        _log.warning(
            "%s failed, attempt %d of %s: %r", subscriber.name, delivery.attempt, most, error, exc_info=trouble
        )
        return "retried"

    def _note(self, delivery: Delivery, outage: bool) -> int:  # noqa: FBT001 - says what the delivery met
        """Count the deliveries of a message that met an outage here: they used up none of its attempts."""
        met = self._outages.get(delivery.message.id, 0)
        if outage:
            if len(self._outages) >= MOST_NOTES:
                self._outages.clear()
            self._outages[delivery.message.id] = met + 1
        return met

    async def _done(self, delivery: Delivery) -> None:
        self._outages.pop(delivery.message.id, None)
        await delivery.ack()

    async def _pass_on(self, delivery: Delivery, envelope: Envelope) -> None:
        """Give back an event that only other code than ours can handle, as there is while a service is updated."""
        if delivery.attempt >= STRANGE_ATTEMPTS:
            await self._bury(delivery, f"nothing handles {envelope.type}")
            _log.error("event %s of type %s found no handler", envelope.id, envelope.type)
        else:
            await delivery.retry(_delay(0.5, delivery.attempt))

    async def _bury(self, delivery: Delivery, reason: str) -> None:
        """Copy a message to the dead letters, then take it out of the way."""
        desk, message = self._desk, delivery.message
        letter = Message(
            id=f"{message.id}-{desk.service}",
            subject=dead_letter_subject(desk.system, desk.service),
            body=message.body,
            headers={
                "Shoal-Subject": message.subject,
                "Shoal-Attempts": str(delivery.attempt),
                "Shoal-Error": _one_line(reason)[:500],
            },
        )
        (outcome,) = await desk.broker.publish([letter])
        if not isinstance(outcome, Published):
            raise outcome
        self._outages.pop(message.id, None)
        await delivery.drop()

    def _account(
        self,
        envelope: Envelope,
        subscriber: Subscriber,
        trace: Trace,
        outcome: str,
        attempt: int,
        seconds: float,
    ) -> None:
        if self._desk.journal is not None:
            fields = {
                "event": envelope.type,
                "event_id": envelope.id,
                "handler": subscriber.name,
                "outcome": outcome,
                "attempt": attempt,
                "ms": round(seconds * 1000, 2),
            }
            self._desk.journal.write("info", f"{envelope.type} {outcome}", trace, fields)


def _mark(delivery: Delivery, envelope: Envelope) -> Mark:
    """Name what is handled by its type, since a handler may be renamed."""
    made = envelope.time if isinstance(envelope.time, datetime) else delivery.at
    return Mark(consumer=envelope.type, message_id=envelope.id, at=made)


def _is_outage(error: Exception) -> bool:
    """Tell whether something was absent; timeouts and refusals can be the message's own fault."""
    return isinstance(error, Unavailable) or (type(error) is CallFailed and error.status in _NOT_REACHED)


def _delay(backoff: float, attempt: int) -> float:
    longest = min(backoff * 2.0 ** min(attempt - 1, 10), LONGEST_BACKOFF)
    return longest * (0.5 + random.random() / 2)  # noqa: S311 - jitter


def _one_line(text: str) -> str:
    """Write a text as a header can carry it."""
    return " ".join(_CONTROL.sub(" ", text).encode("utf-8", "replace").decode().split())


def _by_key(deliveries: Sequence[Delivery]) -> list[list[tuple[Delivery, Envelope | None]]]:
    """Part deliveries by their event's key: within one key they keep their order, keys run side by side."""
    groups: dict[object, list[tuple[Delivery, Envelope | None]]] = {}
    for position, delivery in enumerate(deliveries):
        try:
            envelope: Envelope | None = unpack(delivery.message)
        except codec.Malformed:
            envelope = None
        subject = envelope.subject if envelope is not None and isinstance(envelope.subject, str) else ""
        groups.setdefault(subject or position, []).append((delivery, envelope))
    return list(groups.values())
