"""One message in hand."""

import contextlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shoal.drivers.base import Delivery, Mark, Message
from shoal.errors import EngineError
from shoal.model.names import remembered
from shoal.runtime.consuming.attempts import NONE, Attempts
from shoal.runtime.consuming.desk import Desk, Subscriber
from shoal.runtime.consuming.letters import letter_of
from shoal.runtime.envelope import LARGEST, Envelope, unpack
from shoal.runtime.relay import WINDOW
from shoal.runtime.trace import Trace
from shoal.service import codec

TOO_OLD = WINDOW
"""Older events are not handled: the inbox lets go of its marks, so that nobody knows whether they were."""


@dataclass(slots=True, eq=False, kw_only=True)
class Item:
    """A message from its delivery until it is answered."""

    delivery: Delivery
    key: str
    """Messages of one key are handled one after the other."""
    envelope: Envelope | None = None
    subscriber: Subscriber | None = None
    mark: Mark | None = None
    fault: str = ""
    """Why it becomes a dead letter without being handled; empty when it can be handled."""
    attempts: Attempts = NONE
    others: list[Delivery] = field(default_factory=list)
    """Deliveries of the same message from other places of the stream."""
    outages: int = 0
    """How often something absent kept it from being handled."""
    taken: float = 0.0
    """When it came into hand, on the consumer's clock."""
    due: float = 0.0
    """When it is tried next."""
    said: float = 0.0
    """When the broker last heard that it is worked on."""
    busy: bool = False
    solitary: bool = False
    """Whether its handler has failed in company, and is to be tried for itself."""
    noted: bool = False
    """Whether the present attempt was written down before it began."""
    event: Any = None
    """Its data, once it was read."""
    opened: bytes | None = None
    """Its data with personal fields in the clear, where it has any."""
    trace: Trace | None = None
    spanned: bool = False
    """Whether an attempt at it is recorded under its place in the trace; the next one needs another."""

    @property
    def message(self) -> Message:
        """The message."""
        return self.delivery.message

    @property
    def id(self) -> str:
        """Name of the message."""
        return self.delivery.message.id

    @property
    def size(self) -> int:
        """Bytes of the message."""
        return len(self.delivery.message.body)

    @property
    def batchable(self) -> bool:
        """Whether it may share a transaction: its handler leaves no trace elsewhere, and it has not failed yet."""
        subscriber = self.subscriber
        if subscriber is None or self.fault or self.solitary or self.attempts is not NONE or self.outages:
            return False
        return bool(subscriber.batch) or subscriber.plan.only_store

    def repeated(self, delivery: Delivery) -> None:
        """Learn that the message was delivered once more."""
        if delivery.sequence == self.delivery.sequence:
            self.delivery = delivery
        else:
            self.others = [*(other for other in self.others if other.sequence != delivery.sequence), delivery]

    async def ack(self) -> None:
        """Say that it is done; who does not hear it delivers it again, and the inbox tells."""
        for delivery in (self.delivery, *self.others):
            with contextlib.suppress(EngineError):
                await delivery.ack()

    async def drop(self) -> None:
        """Say that it is not to come again although it was not handled; its attempts tell who does not hear it."""
        for delivery in (self.delivery, *self.others):
            with contextlib.suppress(EngineError):
                await delivery.drop()


def read(desk: Desk, delivery: Delivery, now: datetime) -> Item:
    """Find out what a delivery is, and who handles it."""
    message = delivery.message
    alone = f"\0{delivery.sequence}"
    if len(message.body) > LARGEST:
        return Item(delivery=delivery, key=alone, fault=f"{len(message.body)} bytes; an event may have {LARGEST}")
    try:
        envelope = unpack(message)
    except codec.Malformed as error:
        return Item(delivery=delivery, key=alone, fault=str(error))
    made, again = _made(delivery, envelope), letter_of(message)
    old = now - made > TOO_OLD
    if old and again is not None:  # whoever sent it once more knows; the letter tells repetitions
        made, old = again.at, False
    return Item(
        delivery=delivery,
        key=envelope.subject if isinstance(envelope.subject, str) and envelope.subject else alone,
        envelope=envelope,
        subscriber=desk.subscribers.get(envelope.type),
        mark=Mark(consumer=remembered(envelope.type), message_id=envelope.id, at=made),  # handlers are renamed
        fault=f"made {made.isoformat()}, too long ago to know whether it was handled" if old else "",
    )


def _made(delivery: Delivery, envelope: Envelope) -> datetime:
    return envelope.time if isinstance(envelope.time, datetime) else delivery.at
