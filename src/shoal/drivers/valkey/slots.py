"""Which server of a cluster has a key, and what a server says that has it no more. Pure.

https://valkey.io/topics/cluster-spec/
"""

import binascii
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shoal.drivers.valkey.wire import Reply
from shoal.errors import EngineError

SLOTS = 16384

Words = Sequence[str | bytes | int]

_ELSEWHERE = re.compile(r"refuses: (MOVED|ASK) (\d+) (\S*):(\d+)$")
_SCRIPTS = frozenset({"EVAL", "EVALSHA"})


class Node(NamedTuple):
    """Where a server listens."""

    host: str
    port: int


class Elsewhere(NamedTuple):
    """Where a key is instead."""

    node: Node
    slot: int
    for_good: bool
    """Else for this one command, which is to be announced: its slot is on the way."""


def key_of(words: Words) -> str | bytes | None:
    """Find a command's first key; those of one command lie in one slot. None where there is none."""
    at = 3 if words[0] in _SCRIPTS else 1
    key = words[at] if len(words) > at else None
    return key if isinstance(key, str | bytes) else None


def slot_of(key: str | bytes) -> int:
    """Return the slot of a key: what stands in its first braces counts, unless that is nothing."""
    spelled = key.encode() if isinstance(key, str) else key
    _, brace, rest = spelled.partition(b"{")
    tag, closed, _ = rest.partition(b"}")
    return binascii.crc_hqx(tag if brace and closed and tag else spelled, 0) % SLOTS


def elsewhere(found: Reply, asked: Node) -> Elsewhere | None:
    """Read a reply that sends us elsewhere; a server that names no host means its own."""
    told = _ELSEWHERE.search(str(found)) if isinstance(found, EngineError) else None
    if told is None:
        return None
    kind, slot, host, port = told.groups()
    return Elsewhere(Node(host or asked.host, int(port)), int(slot), kind == "MOVED")


def shares(found: Reply, asked: Node) -> Iterator[tuple[range, Node]]:
    """Read what ``CLUSTER SLOTS`` gives: for each share of the slots, the server that is written to."""
    for share in found if isinstance(found, list) else ():
        match share:
            case [int(first), int(last), [host, int(port), *_], *_]:
                known = host.decode() if isinstance(host, bytes) and host else asked.host
                yield range(first, last + 1), Node(known, port)
