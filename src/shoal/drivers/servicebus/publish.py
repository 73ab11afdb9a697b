"""Publish messages: those of a key one after the other, and many keys at a time.

Service Bus may be too busy for one message and take the next. So nothing of a key is sent before what precedes it is
taken; what has no key has no order, and is sent without waiting.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from shoal.drivers.base import Message, Outcome, Published
from shoal.drivers.base.declared import StreamRecord
from shoal.drivers.servicebus import wire
from shoal.drivers.servicebus.client import Out
from shoal.drivers.servicebus.link import SESSION, Link
from shoal.drivers.servicebus.registry import Registry
from shoal.errors import EngineError, ShoalError, Unavailable, Undeclared

AT_A_TIME = 256
"""Messages that are under way to a topic."""

_UNSENT = Unavailable("not sent, because one before it was not taken", hint="try again")


class _Entry(NamedTuple):
    """A message as it is sent."""

    number: int
    """In the call."""
    data: bytes


class Publisher:
    """The publications of one connection."""

    def __init__(self, link: Link, registry: Registry) -> None:
        self._link, self._registry = link, registry
        self._slots = asyncio.Semaphore(AT_A_TIME)

    async def publish(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Send all; see `base.Broker`. Service Bus does not say where a message stands, so places are 0."""
        outcomes: list[Outcome] = [_UNSENT] * len(messages)
        try:
            if any(self._registry.route(message.subject) is None for message in messages):
                await self._registry.refresh()
        except EngineError as error:
            return [_away(error)] * len(messages)
        except Undeclared as error:
            return [error] * len(messages)
        streams: dict[str, tuple[StreamRecord, list[int]]] = {}
        for number, message in enumerate(messages):
            record = self._registry.route(message.subject)
            if record is None:
                hint = "declare the streams first"
                outcomes[number] = Unavailable(f"no stream takes the subject {message.subject}", hint=hint)
            else:
                streams.setdefault(record.stream.name, (record, []))[1].append(number)
        await asyncio.gather(*(self._stream(*one, messages, outcomes) for one in streams.values()))
        return outcomes

    async def _stream(
        self, record: StreamRecord, numbers: Sequence[int], messages: Sequence[Message], outcomes: list[Outcome]
    ) -> None:
        """Send the messages of a stream."""
        try:
            out = await self._link.sender(record.stream.name)
        except (EngineError, Undeclared) as error:
            for number in numbers:
                outcomes[number] = _meant(error, messages[number])
            return
        chains: dict[str, list[_Entry]] = {}
        for number in numbers:
            message = messages[number]
            try:
                data = wire.carry(message, record.stream, record.made, SESSION, out.largest or wire.LARGEST)
            except EngineError as error:
                outcomes[number] = error
                continue
            chains.setdefault(message.key, []).append(_Entry(number, data))
        loose = chains.pop("", [])
        await asyncio.gather(
            self._chain(out, loose, AT_A_TIME, messages, outcomes),
            *(self._chain(out, entries, 1, messages, outcomes) for entries in chains.values()),
        )

    async def _chain(
        self, out: Out, entries: Sequence[_Entry], width: int, messages: Sequence[Message], outcomes: list[Outcome]
    ) -> None:
        """Send messages in order, so many at a time, until one is not taken now."""
        for start in range(0, len(entries), width):
            some = entries[start : start + width]
            async with self._slots:
                sent = [out.send(entry.data) for entry in some]
                waiting = (self._outcome(out, one, messages[e.number]) for e, one in zip(some, sent, strict=True))
                found = await asyncio.gather(*waiting)
            for entry, outcome in zip(some, found, strict=True):
                outcomes[entry.number] = outcome
            if any(isinstance(outcome, Unavailable) for outcome in found):
                return

    async def _outcome(self, out: Out, sent: "asyncio.Future[None]", message: Message) -> Outcome:
        try:
            await self._link.taken(out, sent)
        except (EngineError, Undeclared) as error:
            return _meant(error, message)
        return Published(sequence=0)


def _away(error: ShoalError) -> Unavailable:
    return Unavailable(error.message, hint=error.hint)


def _meant(error: EngineError | Undeclared, message: Message) -> Outcome:
    if isinstance(error, Undeclared):
        hint = "declare what it publishes, and give who it is the right to send to that topic"
        return Undeclared(f"this service may not publish {message.subject}", hint=hint)
    return _away(error) if isinstance(error, Unavailable) else error
