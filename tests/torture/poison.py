"""Messages that no service can handle, published by the operator among real ones; one of every kind."""

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shoal.audit.subject import Letter
from shoal.audit.trail import audience
from shoal.drivers.base import BrokerAdmin, Message, Published
from shoal.model import names
from shoal.model.system import System
from shoal.runtime.envelope import LARGEST

PLACED, RESERVED = "orders.placed.v1", "inventory.reserved.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Poison:
    """One message, and who will give it up."""

    kind: str
    message: Message
    hearers: tuple[str, ...]

    @property
    def letters(self) -> frozenset[Letter]:
        """The dead letters that it becomes."""
        return frozenset((hearer, self.message.id) for hearer in self.hearers)


def brew(system: System, kind: str) -> Poison:
    """Make one message of a kind."""
    event, body = KINDS[kind](uuid.uuid4().hex)
    key = f"poison-{kind}-{uuid.uuid4().hex[:8]}"
    subject = names.subject(system.name, event, names.part_of(key))
    message = Message(id=f"poison-{kind}-{uuid.uuid4().hex}", subject=subject, body=body(key))
    hearers = tuple(hearer for hearer in audience(system)[event] if hearer not in TAKEN.get(kind, ()))
    return Poison(kind=kind, message=message, hearers=hearers)


async def plant(broker: BrokerAdmin, poison: Sequence[Poison]) -> None:
    """Publish with the operator's rights."""
    for outcome in await broker.publish([each.message for each in poison]):
        assert isinstance(outcome, Published), outcome


Body = Callable[[str], bytes]
"""Writes the body for a key."""


def _cloud_event(identifier: str, type_: str, data: object, source: str = "spiffe://shop/orders") -> Body:
    def write(key: str) -> bytes:
        envelope = {
            "specversion": "1.0",
            "id": identifier,
            "source": source,
            "type": type_,
            "time": datetime.now(UTC).isoformat(),
            "subject": key,
            "datacontenttype": "application/json",
            "data": data,
        }
        return json.dumps(envelope).encode()

    return write


def _malformed(_: str) -> tuple[str, Body]:
    return PLACED, lambda _key: b"\xff\xfe{ this is no JSON"


def _wrong_schema(identifier: str) -> tuple[str, Body]:
    return PLACED, _cloud_event(identifier, PLACED, {"order_id": 7, "lines": "none"})


def _always_raises(identifier: str) -> tuple[str, Body]:
    """Tell of pieces laid ready for an order that nobody placed, which its handler refuses each time."""
    return RESERVED, _cloud_event(identifier, RESERVED, {"order_id": f"ord_nobody_{identifier}"})


def _too_large(identifier: str) -> tuple[str, Body]:
    """Write an event of one byte too many; nothing else is wrong with it."""

    def write(key: str) -> bytes:
        empty = _cloud_event(identifier, RESERVED, {"order_id": f"ord_nobody_{identifier}", "padding": ""})(key)
        padding = "x" * (LARGEST + 1 - len(empty))
        return empty.replace(b'"padding": ""', f'"padding": "{padding}"'.encode())

    return RESERVED, write


def _wrong_type(identifier: str) -> tuple[str, Body]:
    return PLACED, _cloud_event(identifier, "weather.changed.v1", {"rain": True})


def _future_version(identifier: str) -> tuple[str, Body]:
    data: dict[str, Any] = {"order": {"id": f"ord_nobody_{identifier}"}}
    return PLACED, _cloud_event(identifier, "orders.placed.v9", data)


KINDS: dict[str, Callable[[str], tuple[str, Body]]] = {
    "malformed": _malformed,
    "wrong-schema": _wrong_schema,
    "always-raises": _always_raises,
    "too-large": _too_large,
    "wrong-type": _wrong_type,
    "future-version": _future_version,
}
"""Makes the event id whose subject it goes to, and its body."""

TAKEN = {"always-raises": ("analytics",)}
"""By kind: who takes it as it is, since its handler asks nobody whether there is such an order."""

STRANGE = ("wrong-type", "future-version")
"""Kinds that wait some eight minutes for newer code that may know them, as there is while a service is updated."""
