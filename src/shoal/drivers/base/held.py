"""Deliveries of a consumer that keeps one place: what lies before it is answered."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from shoal.drivers.base.holding import Holding, Letter
from shoal.drivers.base.messages import Message


class Keeper(Protocol):
    """Whoever keeps the places of consumers."""

    def current(self, holding: Holding) -> Holding | None:
        """Return what is in hand, unless it is no longer ours."""
        ...

    def settle(self, holding: Holding, offset: int) -> None:
        """Take a message as answered."""
        ...


class HeldDelivery:
    """A `base.Delivery` out of a `Holding`."""

    def __init__(self, keeper: Keeper, holding: Holding, number: int, letter: Letter) -> None:
        assert letter.message is not None, "the end of a message is not delivered"  # noqa: S101
        self._keeper, self._holding, self._number, self._letter = keeper, holding, number, letter
        self._message = letter.message
        self._answered = False

    @property
    def message(self) -> Message:
        """The message."""
        return self._message

    @property
    def sequence(self) -> int:
        """Its place in the stream: its offset, counted from 1, or what its publisher numbered it."""
        return self._letter.offset + 1 if self._letter.place is None else self._letter.place

    @property
    def at(self) -> datetime:
        """When the stream stored it."""
        return self._letter.at

    @property
    def number(self) -> int:
        """Which delivery this is since the consumer was last rewound."""
        return self._number

    async def ack(self) -> None:
        """Settle it."""
        self._settle()

    async def drop(self) -> None:
        """Settle it: a consumer has but one place, and what lies before it is answered."""
        self._settle()

    async def progress(self) -> None:
        """Begin the wait anew."""
        holding = None if self._answered else self._keeper.current(self._holding)
        if holding is not None:
            due = asyncio.get_running_loop().time() + holding.consumer.ack_wait
            holding.postpone(self._letter.offset, due)

    def _settle(self) -> None:
        if not self._answered:
            self._answered = True
            self._keeper.settle(self._holding, self._letter.offset)


async def fetch(
    keeper: Keeper, holding: Holding, limit: int, wait: float, stir: Callable[[], None]
) -> list[HeldDelivery]:
    """Take what was read for a consumer, or wait for it; what ended its reading is raised.

    Args:
        keeper: Hears of the answers.
        holding: What was read.
        limit: Most deliveries.
        wait: Seconds.
        stir: Tells whoever reads that there may be room.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    while True:
        if holding.fault is not None:
            raise holding.fault
        holding.stirred.clear()
        taken = holding.take(limit, loop.time())
        stir()
        left = until - loop.time()
        if taken or left <= 0:
            return [HeldDelivery(keeper, holding, *one) for one in taken]
        await _stirred(holding, left, holding.soonest())


async def _stirred(holding: Holding, left: float, due: float | None) -> None:
    """Wait until there is something to look at again."""
    now = asyncio.get_running_loop().time()
    seconds = left if due is None or len(holding.due) == 0 else min(left, max(0.0, due - now))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):  # wait_for would swallow a cancellation that comes with the message
            await holding.stirred.wait()
