"""CloudEvents 1.0 in structured JSON mode: how events travel."""

from datetime import datetime
from random import getrandbits
from typing import Annotated, Any

import msgspec

from shoal.drivers.base import Message
from shoal.errors import ShoalError
from shoal.model import names
from shoal.runtime.trace import Trace
from shoal.service import codec
from shoal.service.marks import EventMark

LARGEST = 256 * 1024
"""Bytes of one event; far below what brokers refuse, since a refused one would hold up the outbox for ever."""


_Given = Annotated[str, msgspec.Meta(min_length=1)]


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One event with its context attributes (CloudEvents 1.0, section "Context Attributes")."""

    specversion: str = "1.0"
    id: _Given
    source: _Given
    type: _Given
    time: datetime | msgspec.UnsetType = msgspec.UNSET
    subject: str | msgspec.UnsetType = msgspec.UNSET
    """Value of the event's key."""
    datacontenttype: str = "application/json"
    traceparent: str | msgspec.UnsetType = msgspec.UNSET
    data: msgspec.Raw = msgspec.Raw(b"null")


_decode = msgspec.json.Decoder(Envelope).decode


def pack(system: str, service: str, mark: EventMark, event: Any, *, now: datetime, trace: Trace | None) -> Message:
    """Wrap an event of `service` as a message for the broker."""
    type_ = mark.id
    identifier = getrandbits(128).to_bytes(16, "big").hex()  # no secret, so nothing the kernel must be asked for
    key = _key(event, mark)
    envelope = Envelope(
        id=identifier,
        source=f"/{system}/{service}",
        type=type_,
        time=now,
        subject=key or msgspec.UNSET,
        traceparent=trace.header() if trace else msgspec.UNSET,
        data=msgspec.Raw(codec.encode(event)),
    )
    body = codec.encode(envelope)
    if len(body) > LARGEST:
        raise ShoalError(
            f"service {service} announces {type(event).__name__} in {len(body)} bytes; an event may have {LARGEST}",
            hint="keep large content elsewhere and announce where it is",
        )
    part = names.bucket(key or identifier)
    return Message(id=identifier, subject=names.subject(system, type_, part), body=body, key=key)


def _key(event: Any, mark: EventMark) -> str:
    """Spell the value that events are ordered by as the event itself spells it; empty when there is none."""
    value = getattr(event, mark.key) if mark.key else None
    if type(value) is not str:
        value = codec.to_plain(value)
    return "" if value is None else str(value)


def unpack(message: Message) -> Envelope:
    """Read a message as a CloudEvent, or raise `codec.Malformed`."""
    try:
        found = _decode(message.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise codec.Malformed(f"not a CloudEvent: {error}") from error
    if not found.specversion.startswith("1."):
        raise codec.Malformed(f"not a CloudEvent of version 1.x: {found.specversion!r}")
    return found
