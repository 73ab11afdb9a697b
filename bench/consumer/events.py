"""What is announced: the same CloudEvents for everybody, and what they add up to."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_hex

import msgspec

from bench.consumer.service import OrderPlaced
from shoal.drivers.base import Message
from shoal.runtime.envelope import pack
from shoal.service.marks import event_mark

ACCOUNTS = 1000
"""Different keys."""


def account(number: int) -> str:
    """Name an account."""
    return f"account-{number:04}"


@dataclass(slots=True)
class Books:
    """What the accounts must hold."""

    orders: dict[str, int] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    events: int = 0

    def add(self, placed: OrderPlaced) -> None:
        """Count an order."""
        self.orders[placed.account] = self.orders.get(placed.account, 0) + 1
        self.totals[placed.account] = self.totals.get(placed.account, 0) + placed.total
        self.events += 1


def announce(system: str, number: int, books: Books, draw: random.Random) -> list[Message]:
    """Make events of accounts drawn at random, and count them."""
    mark, now = event_mark(OrderPlaced), datetime.now(UTC)
    messages = []
    for _ in range(number):
        placed = OrderPlaced(
            account=account(draw.randrange(ACCOUNTS)), order=token_hex(16), total=draw.randrange(1, 500)
        )
        books.add(placed)
        messages.append(pack(system, "orders", mark, placed, now=now, trace=None))
    return messages


def again(messages: Sequence[Message]) -> list[Message]:
    """Repeat events in messages of their own, as a producer does that did not hear the broker's answer in time."""
    return [msgspec.structs.replace(message, id=f"{message.id}-again") for message in messages]
