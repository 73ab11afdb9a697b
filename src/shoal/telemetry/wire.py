"""Write Protocol Buffers by hand (https://protobuf.dev/programming-guides/encoding): the few shapes that OTLP has.

The official messages take some 50 µs for a span in pure Python; these joins take a tenth of it.
"""

from collections.abc import Callable, Mapping, Sequence
from struct import Struct

import msgspec

Value = str | bool | int | float | bytes | list["Value"] | tuple["Value", ...] | None
"""What an attribute may hold; lists hold values of one kind."""

Hide = Callable[[str, str], str]
"""Takes a key and its text, and returns the text as it may be told."""

LONGEST = 32 * 1024
"""Characters of one text; the rest of it is left out."""

CUT = " …[cut]"
"""Ends a text whose rest is left out. What stood across the end is looked for in the whole of it: see `masking`."""

DEEPEST = 16
"""Values within values: readers of Protocol Buffers refuse what is nested a hundred messages deep, three for each."""

MOST = 1024
"""Values of one attribute that hold others; whoever contains itself twice would have no end of them."""

_MASK = (1 << 64) - 1
_KEYS_KEPT = 4096
_PAIRS_KEPT, _SHORT = 4096, 128
"""Pairs that are remembered, and the bytes of the longest."""

double = Struct("<d").pack
fixed64 = Struct("<Q").pack
_json = msgspec.json.Encoder(enc_hook=repr).encode

_keys: dict[str, bytes] = {}
_FLOATS: dict[tuple[bytes, str], bytes] = {}
_KNOWN: dict[type, dict[tuple[bytes, str, object], bytes]] = {str: {}, int: {}}
"""Pairs as they were written, for each type of value apart: True and 1 are equal keys."""


def varint(number: int) -> bytes:
    """Write an unsigned number, or a negative one as its 64 bits of two's complement."""
    if 0 <= number < 16384:
        return _VARINTS[number]
    return _varint(number & _MASK)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


_VARINTS = tuple(map(_varint, range(16384)))


def tag(number: int, wire_type: int = 2) -> bytes:
    """Write what precedes a field: 0 is a varint, 1 eight bytes, 2 a length and so many bytes, 5 four bytes."""
    return varint(number << 3 | wire_type)


def block(number: int, content: bytes) -> bytes:
    """Write a field of bytes, of text or of a message."""
    return tag(number) + varint(len(content)) + content


def text(number: int, content: str) -> bytes:
    """Write a field of text; nothing when it is empty."""
    return block(number, utf8(content)) if content else b""


def utf8(content: str) -> bytes:
    """Encode a text; what UTF-8 cannot spell becomes ``?``, what is too long ends early."""
    if len(content) > LONGEST:
        content = content[: LONGEST - len(CUT)] + CUT
    return content.encode("utf-8", "replace")


def any_value(value: object) -> bytes:
    """Write an ``AnyValue``; what is no value of an attribute is told as JSON, secrets as ``Secret('***')``."""
    return _value(bounded(value))


def bounded(value: object) -> object:
    """Copy a value that holds others as far as it is told: the type's name stands for what is too deep or too much."""
    return _bounded(value, DEEPEST, [MOST]) if isinstance(value, list | tuple | dict) else value


def _bounded(value: object, depth: int, room: list[int]) -> object:
    if not isinstance(value, list | tuple | dict):
        return value
    if not depth or not room[0]:
        return f"<{type(value).__name__}>"
    room[0] -= 1
    if isinstance(value, dict):
        return {key: _bounded(item, depth - 1, room) for key, item in value.items()}
    return [_bounded(item, depth - 1, room) for item in value]


def _value(value: object) -> bytes:
    if isinstance(value, str):
        data = utf8(value)
        return b"\x0a" + varint(len(data)) + data
    if isinstance(value, int):
        return _whole(value)
    if isinstance(value, float):
        return b"\x21" + double(value)
    return _other(value)


def _whole(value: int) -> bytes:
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    return b"\x18" + varint(value) if -1 << 63 <= value < 1 << 63 else _value(str(value))


def _other(value: object) -> bytes:
    if isinstance(value, list | tuple):
        return block(5, b"".join([block(1, _value(item)) for item in value]))
    if isinstance(value, bytes):
        return block(7, value if len(value) <= LONGEST else value[:LONGEST] + CUT.encode())
    if value is None:
        return b""
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return block(6, b"".join([_pair(b"\x0a", key, item) for key, item in value.items()]))
    try:
        return _value(_json(value).decode().strip('"'))
    except Exception:  # noqa: BLE001 - whatever an author hands over is told as well as it can be
        return _value(f"<{type(value).__name__}>")


def attributes(prefix: bytes, pairs: Mapping[str, object], hide: Hide | None = None) -> bytes:
    """Write a field of ``KeyValue`` for each pair; `prefix` is the field's tag, texts go through `hide`."""
    parts = []
    for key, value in pairs.items():
        if hide is not None:
            parts.append(_pair(prefix, key, hidden(key, bounded(value), hide)))
        elif type(value) is float:
            parts.append((_FLOATS.get((prefix, key)) or _float(prefix, key)) + double(value))
        elif (known := _KNOWN.get(type(value))) is None:
            parts.append(_pair(prefix, key, bounded(value)))
        else:
            parts.append(known.get((prefix, key, value)) or _learnt(known, prefix, key, value))
    return b"".join(parts)


def _pair(prefix: bytes, key: str, value: object) -> bytes:
    head, data = _keys.get(key) or _key(key), _value(value)
    size = varint(len(data))
    return b"%b%b%b\x12%b%b" % (prefix, varint(len(head) + 1 + len(size) + len(data)), head, size, data)


def _float(prefix: bytes, key: str) -> bytes:
    """Write what precedes the eight bytes of a number in a pair."""
    head = _keys.get(key) or _key(key)
    written = b"%b%b%b\x12\x09\x21" % (prefix, varint(len(head) + 11), head)
    if len(_FLOATS) < _KEYS_KEPT:
        _FLOATS[prefix, key] = written
    return written


def _learnt(known: dict[tuple[bytes, str, object], bytes], prefix: bytes, key: str, value: object) -> bytes:
    """Write a pair, and remember it when it is short: the same few come again and again."""
    written = _pair(prefix, key, value)
    if len(written) <= _SHORT:
        if len(known) >= _PAIRS_KEPT:
            known.clear()
        known[prefix, key, value] = written
    return written


def hidden(key: str, value: object, hide: Hide) -> object:
    """Hide what may not be told, however deep it lies within a value that is `bounded`."""
    if isinstance(value, str):
        return hide(key, value)
    if isinstance(value, list | tuple):
        return [hidden(key, item, hide) for item in value]
    if isinstance(value, dict):
        return {str(name): hidden(str(name), item, hide) for name, item in value.items()}
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes):
        return hide(key, value.decode("utf-8", "replace"))
    return hide(key, repr(value))


def _key(key: str) -> bytes:
    head = text(1, key) or b"\x0a\x00"
    if len(_keys) < _KEYS_KEPT:
        _keys[key] = head
    return head


def request(resource: bytes, number: int, scopes: Mapping[bytes, Sequence[bytes]]) -> bytes:
    """Write an ``Export…ServiceRequest`` of one resource; records are fields with their tags, listed by their scope.

    The requests of the three signals have the same shape: resources, in them scopes (field `number`), in them records.
    It may be large, so it is put together once.
    """
    parts, total = [resource], len(resource)
    for scope, records in scopes.items():
        size = len(scope) + sum(map(len, records))
        head = tag(number) + varint(size) + scope
        parts += (head, *records)
        total += len(head) - len(scope) + size
    return b"".join((tag(1), varint(total), *parts))
