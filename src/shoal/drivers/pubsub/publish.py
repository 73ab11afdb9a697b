"""Publish messages: those of a key in order, each key by itself, and many keys at a time.

A request has messages of one ordering key only (Pub/Sub REST reference, ``PubsubMessage.orderingKey``).
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from shoal.drivers.base import Message, Outcome, Published
from shoal.drivers.base.declared import StreamRecord
from shoal.drivers.base.pulse import Places
from shoal.drivers.pubsub import wire
from shoal.drivers.pubsub.link import Gone, Link, Silent, Untaken
from shoal.drivers.pubsub.registry import Registry
from shoal.errors import EngineError, ShoalError, Unavailable, Undeclared

AT_A_TIME = 32
"""Requests that are under way."""

_UNSENT = Unavailable("not sent, because Pub/Sub was not reached before", hint="try again")


class _Entry(NamedTuple):
    """A message as it is sent."""

    number: int
    """In the call."""
    carried: dict[str, Any]

    @property
    def size(self) -> int:
        return len(self.carried["data"])


@dataclass(slots=True)
class _Call:
    """What became of the messages of one call."""

    outcomes: list[Outcome]
    silent: bool = False
    """Whether a request got no answer: nothing more is sent then."""


class Publisher:
    """The publications of one connection."""

    def __init__(self, link: Link, registry: Registry) -> None:
        self._link, self._registry = link, registry
        self._slots = asyncio.Semaphore(AT_A_TIME)
        self._places = Places()

    async def publish(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Send all; see `base.Broker`. No topic says where a message stands, so places are 0."""
        outcomes: list[Outcome] = [_UNSENT] * len(messages)
        try:
            if any(self._registry.route(message.subject) is None for message in messages):
                await self._registry.refresh()
        except EngineError as error:
            return [_away(error)] * len(messages)
        except Undeclared as error:
            return [error] * len(messages)
        call = _Call(outcomes)
        chains = self._chains(messages, outcomes)
        await asyncio.gather(*(self._send_all(record, entries, call) for record, entries in chains))
        return outcomes

    def _chains(
        self, messages: Sequence[Message], outcomes: list[Outcome]
    ) -> Sequence[tuple[StreamRecord, Sequence[_Entry]]]:
        """Split messages by stream and key, and decide what nobody needs to be asked for."""
        chains: dict[tuple[str, str], tuple[StreamRecord, list[_Entry]]] = {}
        keys = wire.EMULATED_KEYS if self._link.address.emulated else 0
        for number, message in enumerate(messages):
            record = self._registry.route(message.subject)
            if record is None:
                hint = "declare the streams first"
                outcomes[number] = Unavailable(f"no stream takes the subject {message.subject}", hint=hint)
                continue
            try:
                carried = wire.entry(message, record, self._places.next(), keys)
            except EngineError as error:
                outcomes[number] = error
                continue
            key = record.stream.name, carried.get("orderingKey", "")
            chains.setdefault(key, (record, []))[1].append(_Entry(number, carried))
        return [*chains.values()]

    async def _send_all(self, record: StreamRecord, entries: Sequence[_Entry], call: _Call) -> None:
        """Send the messages of a key, until one of all keys gets no answer."""
        for batch in _batches(entries):
            async with self._slots:
                if call.silent or not await self._send(record, batch, call):
                    return

    async def _send(self, record: StreamRecord, batch: Sequence[_Entry], call: _Call) -> bool:
        """Send a batch; say whether others may follow."""
        body = {"messages": [entry.carried for entry in batch]}
        try:
            await self._link.ask("POST", f"{self._link.topic(record.stream.name)}:publish", body)
        except Untaken as error:
            if len(batch) > 1:  # find out which one is refused
                return await self._send_each(record, batch, call)
            found: Outcome = error
        except Gone as error:
            hint = "it is made again by whoever runs the system"
            found = Unavailable(f"stream {record.stream.name} has no topic any more", hint=hint)
            found.__cause__ = error
        except Undeclared:
            for entry in batch:
                call.outcomes[entry.number] = _forbidden(record, entry)
            return True
        except EngineError as error:
            found, call.silent = _away(error), call.silent or isinstance(error, Silent)
        else:
            found = Published(sequence=0)
        for entry in batch:
            call.outcomes[entry.number] = found
        return not isinstance(found, Unavailable)

    async def _send_each(self, record: StreamRecord, batch: Sequence[_Entry], call: _Call) -> bool:
        for entry in batch:
            if not await self._send(record, [entry], call):
                return False  # what follows must not overtake it
        return True


def _batches(entries: Sequence[_Entry]) -> Iterator[Sequence[_Entry]]:
    batch: list[_Entry] = []
    size = 0
    most = wire.LARGEST * 4 // 3
    for entry in entries:
        if batch and (len(batch) == wire.BATCH or size + entry.size > most):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry.size
    if batch:
        yield batch


def _away(error: ShoalError) -> Unavailable:
    return Unavailable(error.message, hint=error.hint)


def _forbidden(record: StreamRecord, entry: _Entry) -> Undeclared:
    subject = entry.carried["attributes"][wire.SUBJECT]
    hint = "declare what it publishes, and give its account roles/pubsub.publisher on that topic"
    return Undeclared(f"this service may not publish {subject} to {record.stream.name}", hint=hint)
