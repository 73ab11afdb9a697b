"""The messages of Envoy's rate limit service, in the wire format of protocol buffers.

Source: ``envoy/service/ratelimit/v3/rls.proto`` and ``envoy/extensions/common/ratelimit/v3/ratelimit.proto``. Of the
question what is read here, of the answer what is written here; the numbers beside the fields are those files'.
"""

from collections.abc import Iterator
from dataclasses import dataclass

METHOD = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"

Entry = tuple[str, str]
"""Key and value of one part of a descriptor."""

_OK, _OVER_LIMIT = 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SECOND = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be counted."""

    domain: str
    descriptors: tuple[tuple[Entry, ...], ...]
    """Each is one bucket."""
    hits: int
    """Tokens that are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What one bucket says."""

    passed: bool
    size: int
    """Tokens of a full bucket."""
    left: int
    reset: int
    """Seconds until there is a token again; 0 while some are left, as Envoy says of its own buckets."""


def question(data: bytes) -> Question:
    """Read a ``RateLimitRequest``; raises `ValueError` for what is none."""
    domain, descriptors, hits = "", [], 0
    for number, value in _fields(data):
        match number, value:
            case 1, bytes():
                domain = value.decode()
            case 2, bytes():
                descriptors.append(tuple(_entry(one) for field, one in _fields(value) if field == 1))
            case 3, int():
                hits = value
    return Question(domain=domain, descriptors=tuple(descriptors), hits=hits or 1)


def answer(statuses: tuple[Status, ...]) -> bytes:
    """Write a ``RateLimitResponse``."""
    passed = all(status.passed for status in statuses)
    return _number(1, _OK if passed else _OVER_LIMIT) + b"".join(_part(2, _status(status)) for status in statuses)


def _status(status: Status) -> bytes:
    limit = _number(1, status.size) + _number(2, _SECOND)
    reset = _number(1, status.reset)
    code = _number(1, _OK if status.passed else _OVER_LIMIT)
    return code + _part(2, limit) + _number(3, status.left) + _part(4, reset)


def _entry(value: int | bytes) -> Entry:
    if isinstance(value, int):
        raise ValueError("an entry of a descriptor is no message")  # noqa: TRY004 - malformed input
    found = {number: one.decode() for number, one in _fields(value) if isinstance(one, bytes)}
    return found.get(1, ""), found.get(2, "")


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Read the fields of a message; numbers of fixed size are passed over."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        length, at = _varint(data, at) if kind == _BYTES else (_SIZES.get(kind, -1), at)
        if length < 0 or at + length > len(data):
            raise ValueError(f"field {number} of kind {kind} is cut short or unknown")
        if kind == _BYTES:
            yield number, data[at : at + length]
        at += length


_SIZES = {_FIXED64: 8, _FIXED32: 4}


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number is cut short or too long")


def _written(value: int) -> bytes:
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _number(field: int, value: int) -> bytes:
    return _written(field << 3 | _VARINT) + _written(value)


def _part(field: int, value: bytes) -> bytes:
    return _written(field << 3 | _BYTES) + _written(len(value)) + value
