"""What is declared, as labels of topics to which nobody publishes. Pure.

A topic knows no subjects, and a subscription's filter is too short for those of a consumer. So there is a record of
each stream and of each consumer, whose text is packed into labels: 64 of 63 characters ("Labels overview").
"""

import base64
import hashlib
import zlib
from collections.abc import Mapping

import msgspec

from shoal.drivers.base.declared import Record, StreamRecord
from shoal.errors import EngineError

SUFFIX = ".declared"
_PREFIX = "shoal-"
_LONG = 63
_MOST = 64
_NAME = 255


def topic_name(record: Record) -> str:
    """Name the topic whose labels have a record."""
    if isinstance(record, StreamRecord):
        return f"{record.stream.name}{SUFFIX}"
    name = f"{record.consumer.stream}.{record.consumer.name}{SUFFIX}"
    if len(name) > _NAME:
        return f"{record.consumer.stream[:64]}.{hashlib.sha256(name.encode()).hexdigest()}{SUFFIX}"
    return name


def pack(record: Record) -> dict[str, str]:
    """Write a record; raises `EngineError` when it is too long."""
    text = base64.b32encode(zlib.compress(msgspec.json.encode(record), 9)).decode().rstrip("=").lower()
    chunks = [text[start : start + _LONG] for start in range(0, len(text), _LONG)]
    if len(chunks) > _MOST:
        raise EngineError(
            f"{topic_name(record).removesuffix(SUFFIX)} has too many subjects to be written down",
            hint=f"a topic takes {_MOST} labels of {_LONG} characters: divide the service",
        )
    return {f"{_PREFIX}{number:02}": chunk for number, chunk in enumerate(chunks)}


def unpack(labels: Mapping[str, str]) -> Record | None:
    """Read a record; None where there is none."""
    text = "".join(labels[name] for name in sorted(labels) if name.startswith(_PREFIX)).upper()
    try:
        data = zlib.decompress(base64.b32decode(text + "=" * (-len(text) % 8)))
        found: Record = msgspec.json.decode(data, type=Record)
    except (ValueError, zlib.error):
        return None
    return found
