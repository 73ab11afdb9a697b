"""The operator's hands on dead letters: find, edit, send again and throw away."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from shoal.drivers.base import BrokerAdmin, Mark, Message, Published, Store
from shoal.errors import Duplicate, ShoalError
from shoal.model import names
from shoal.runtime import binary
from shoal.runtime.compile import readers
from shoal.runtime.consuming.attempts import Attempts, Tally
from shoal.runtime.consuming.letters import Letter, again_message, letter_message, letter_of
from shoal.runtime.envelope import LARGEST, Envelope, unpack
from shoal.service import codec
from shoal.service.declare import Service
from shoal.service.projecting import heard_by

PAGE = 200
"""Letters read at a time."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grave:
    """A dead letter in its stream."""

    place: int
    """In the stream."""
    others: tuple[int, ...] = ()
    """Places of further copies of it."""
    at: datetime
    """When the stream stored it."""
    letter: Letter
    message: Message

    @property
    def id(self) -> str:
        """How people name it: the service, and the place."""
        return f"{self.letter.service}-{self.place}"

    @property
    def places(self) -> tuple[int, ...]:
        """Every place at which it lies."""
        return (self.place, *self.others)


async def graves(broker: BrokerAdmin, system: str, service: str, most: int | None = None) -> list[Grave]:
    """List a service's dead letters, the oldest first; of several copies the edited one, else the latest.

    Args:
        broker: That keeps them.
        system: Name of the system.
        service: Whose letters they are.
        most: Look at the oldest so many only; all when None.
    """
    copies: dict[str, list[Grave]] = {}
    async for grave in _read(broker, system, service):
        if most is not None and len(copies) >= most:
            break
        copies.setdefault(grave.letter.message, []).append(grave)
    found = [_chosen(some) for some in copies.values()]
    return sorted(found, key=lambda grave: grave.place)


async def _read(broker: BrokerAdmin, system: str, service: str) -> AsyncIterator[Grave]:
    stream, subject = names.dead_letter_stream(system, service), names.dead_letter_subject(system, service)
    place = 0
    while page := await broker.read(stream, place, PAGE):
        for kept in page:
            letter = letter_of(kept.message) if kept.message.subject == subject else None
            if letter is not None:
                yield Grave(place=kept.sequence, at=kept.at, letter=letter, message=kept.message)
        place = page[-1].sequence


def _chosen(copies: Sequence[Grave]) -> Grave:
    *others, best = sorted(copies, key=lambda grave: (grave.letter.original is not None, grave.place))
    return Grave(
        place=best.place, others=tuple(g.place for g in others), at=best.at, letter=best.letter, message=best.message
    )


def editable(grave: Grave) -> bytes:
    """Return what of a letter is to be edited: the event's data, or all of a message that is no event."""
    envelope = envelope_of(grave.message)
    return grave.message.body if envelope is None else bytes(envelope.data)


def edited(grave: Grave, text: bytes, service: Service) -> Message:
    """Put edited data in the place of the letter's own, and check that a handler would take it.

    Raises:
        ShoalError: Nothing of the service handles such an event, or the data is not what its handler takes.
    """
    body = _body(grave, text)
    changed = msgspec.structs.replace(grave.message, body=body)
    try:
        envelope = unpack(changed)
    except codec.Malformed as error:
        raise ShoalError(f"this is no event: {error}", hint="write a whole CloudEvent of version 1.0") from error
    reader = _readers(service).get(envelope.type)
    if reader is None:
        raise ShoalError(f"nothing in {service.name} handles {envelope.type}", hint="correct the event's type")
    try:
        reader.decode(bytes(envelope.data))
    except codec.Malformed as error:
        raise ShoalError(
            f"the data is not what {envelope.type} asks for: {error}", hint="the letter stays as it was"
        ) from error
    if len(body) > LARGEST:
        raise ShoalError(f"the event has {len(body)} bytes; an event may have {LARGEST}")
    return changed


def _body(grave: Grave, text: bytes) -> bytes:
    """Put data into its envelope; in binary mode, and where there is no envelope, it is the body itself."""
    if binary.is_binary(grave.message.headers) or envelope_of(grave.message) is None:
        return text
    try:
        data = msgspec.json.decode(text, type=msgspec.Raw)
    except msgspec.MsgspecError as error:
        raise ShoalError(f"the data is no JSON: {error}", hint="the letter stays as it was") from error
    envelope = msgspec.json.decode(grave.message.body, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({**{k: v for k, v in envelope.items() if k != "data_base64"}, "data": data})


def _readers(service: Service) -> Mapping[str, codec.Codec[Any]]:
    """Return what reads the data of every event that a service hears, by event id."""
    noted: dict[str, codec.Codec[Any]] = {event: codec.Codec(msgspec.Raw) for event in heard_by(service)}
    return noted | {event: reader for declared in service.subscriptions for event, reader in readers(declared)}


async def rewrite(broker: BrokerAdmin, system: str, grave: Grave, changed: Message) -> None:
    """Put an edited letter in the place of another; what it was at first stays with it.

    Broken off in between, both are there, and the edited one counts.
    """
    original = grave.letter.original if grave.letter.original is not None else grave.message.body
    letter = msgspec.structs.replace(grave.letter, original=original)
    await _store(broker, letter_message(system, letter, changed))
    await broker.remove(names.dead_letter_stream(system, grave.letter.service), grave.places)


async def replay(broker: BrokerAdmin, system: str, grave: Grave) -> None:
    """Send a letter to its consumer once more, and take it away once that is stored.

    Broken off in between and repeated, the consumer gets it twice and handles it once.
    """
    await _store(broker, again_message(system, grave.letter, grave.message))
    await broker.remove(names.dead_letter_stream(system, grave.letter.service), grave.places)


async def purge(broker: BrokerAdmin, store: Store, system: str, grave: Grave) -> None:
    """Throw a letter away: its event counts as handled from then on, so that it does not come back."""
    await _settle(store, grave)
    await broker.remove(names.dead_letter_stream(system, grave.letter.service), grave.places)


async def _settle(store: Store, grave: Grave) -> None:
    letter, message = grave.letter, grave.letter.sent or grave.letter.message
    tally = Tally(letter.consumer)
    async with store.session() as session:
        tally.write(session, message, Attempts(state="purged", count=letter.attempts), letter.at)
    if letter.event and letter.made is not None:
        mark = Mark(consumer=names.remembered(letter.type), message_id=letter.event, at=letter.made)
        try:
            async with store.session() as session:
                session.accept(mark)
        except Duplicate:
            pass  # it was handled after all


async def _store(broker: BrokerAdmin, message: Message) -> None:
    (outcome,) = await broker.publish([message])
    if not isinstance(outcome, Published):
        raise outcome


def envelope_of(message: Message) -> Envelope | None:
    """Read the event of a letter; None when it is none."""
    try:
        return unpack(message)
    except codec.Malformed:
        return None
