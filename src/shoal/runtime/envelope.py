"""CloudEvents 1.0: how events travel. Written in structured mode unless an event asks for binary; read in both."""

from datetime import datetime
from random import getrandbits
from typing import Annotated, Any

import msgspec

from shoal.drivers.base import Message
from shoal.errors import ShoalError
from shoal.model import names
from shoal.model.service import Mode
from shoal.runtime import binary
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
    time: datetime | msgspec.UnsetType | None = msgspec.UNSET
    subject: str | msgspec.UnsetType | None = msgspec.UNSET
    """Value of the event's key."""
    datacontenttype: str | None = "application/json"
    traceparent: str | msgspec.UnsetType | None = msgspec.UNSET
    tracestate: str | msgspec.UnsetType | None = msgspec.UNSET
    data: msgspec.Raw = msgspec.Raw(b"null")
    data_base64: bytes | msgspec.UnsetType | None = msgspec.UNSET
    """Data that the sender took for bytes; `unpack` puts it in the place of `data`."""


_decode = msgspec.json.Decoder(Envelope).decode
_raw = msgspec.json.Decoder(msgspec.Raw).decode
_ATTRIBUTES = ("specversion", "id", "source", "type", "time", "subject", "datacontenttype", "traceparent", "tracestate")


def pack(
    system: str,
    service: str,
    mark: EventMark,
    event: Any,
    *,
    now: datetime,
    trace: Trace | None,
    mode: Mode | None = None,
    data: bytes | None = None,
) -> Message:
    """Wrap an event as a message, in its own content mode and with its own JSON unless `mode` and `data` are given.

    Raises:
        ShoalError: The event is larger than `LARGEST`.
    """
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
        tracestate=(trace.state if trace else "") or msgspec.UNSET,
        data=msgspec.Raw(codec.encode(event) if data is None else data),
    )
    if (mode or mark.mode) == "binary":
        body, headers = bytes(envelope.data), _headers(envelope)
    else:
        body, headers = codec.encode(envelope), {}
    if (size := len(body) + sum(map(len, headers.values()))) > LARGEST:
        raise ShoalError(
            f"service {service} announces {type(event).__name__} in {size} bytes; an event may have {LARGEST}",
            hint="keep large content elsewhere and announce where it is",
        )
    part = names.part_of(key or identifier)
    return Message(id=identifier, subject=names.subject(system, type_, part), body=body, headers=headers, key=key)


def _key(event: Any, mark: EventMark) -> str:
    """Spell the value that events are ordered by as the event itself spells it; empty when there is none."""
    value = getattr(event, mark.key) if mark.key else None
    if type(value) is not str:
        value = codec.to_plain(value)
    return "" if value is None else str(value)


def _headers(envelope: Envelope) -> dict[str, str]:
    """Spell every attribute as a header; what the data is made of is one of them."""
    found = {name: getattr(envelope, name) for name in _ATTRIBUTES}
    given = {name: value for name, value in found.items() if value is not None and value is not msgspec.UNSET}
    return binary.to_headers(codec.to_plain(given))


def unpack(message: Message) -> Envelope:
    """Read a message in either content mode as a CloudEvent, or raise `codec.Malformed`."""
    try:
        found = _from_headers(message) if binary.is_binary(message.headers) else _decode(message.body)
        if found.data_base64 is not msgspec.UNSET:
            found = _from_base64(found)
    except (ValueError, RecursionError) as error:
        raise codec.Malformed(f"not a CloudEvent: {error}") from error
    if not found.specversion.startswith("1."):
        raise codec.Malformed(f"not a CloudEvent of version 1.x: {found.specversion!r}")
    return found


def _from_headers(message: Message) -> Envelope:
    attributes = binary.from_headers(message.headers)
    found = msgspec.convert({name: attributes[name] for name in _ATTRIBUTES if name in attributes}, Envelope)
    return msgspec.structs.replace(found, data=_json(message.body, found) if message.body else msgspec.Raw(b"null"))


def _from_base64(found: Envelope) -> Envelope:
    """Give the data that came as bytes the place of data that came as JSON."""
    if not isinstance(found.data_base64, bytes):
        return msgspec.structs.replace(found, data_base64=msgspec.UNSET)
    if bytes(found.data) != b"null":
        raise ValueError("it has both data and data_base64")
    return msgspec.structs.replace(found, data=_json(found.data_base64, found), data_base64=msgspec.UNSET)


def _json(data: bytes, envelope: Envelope) -> msgspec.Raw:
    """Take bytes for the JSON that they are said to be."""
    if not binary.is_json(envelope.datacontenttype or "application/json"):
        raise ValueError(f"its data is {envelope.datacontenttype}; only JSON is read")
    return _raw(data).copy()
