"""What one process reads of a broker that keeps no log: for each consumer a reading, begun when it is asked."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar

from shoal.drivers.base.broker import Consumer
from shoal.drivers.base.declared import ConsumerRecord
from shoal.drivers.base.holding import Holding


class Reading(Protocol):
    """What is in hand of one consumer, from the first time that it is asked until it may be another's."""

    number: str
    """That no other has."""
    holding: Holding

    @property
    def good(self) -> bool:
        """Whether what is in hand can still be answered."""
        ...

    def use(self) -> None:
        """Say that somebody works on what is in hand."""
        ...

    def again(self, record: ConsumerRecord) -> None:
        """Deliver what is in hand once more, from the first."""
        ...

    def settle(self, offset: int) -> None:
        """Never hear of a message again."""
        ...


R = TypeVar("R", bound=Reading)


class Readings(Generic[R]):
    """A `held.Keeper`.

    Args:
        record: Looks up what is declared of a consumer now; raises as `Broker.fetch` does.
        begin: Makes a reading.
        end: Gives back what one has.
    """

    def __init__(
        self,
        record: Callable[[Consumer], Awaitable[ConsumerRecord]],
        begin: Callable[[ConsumerRecord], R],
        end: Callable[[R], Awaitable[None]],
    ) -> None:
        self._record, self._begin, self._end = record, begin, end
        self._readings: dict[str, R] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    @property
    def all(self) -> Sequence[R]:
        """Those that there are."""
        return [*self._readings.values()]

    async def of(self, consumer: Consumer) -> R:
        """Return the reading of a consumer, or begin one."""
        async with self._turn(consumer):
            reading = self._readings.get(_key(consumer))
            if reading is not None and reading.good:
                return reading
            return await self._anew(consumer, await self._record(consumer))

    async def rewind(self, consumer: Consumer) -> None:
        """Deliver again what is in hand here."""
        async with self._turn(consumer):
            record = await self._record(consumer)
            reading = self._readings.get(_key(consumer))
            if reading is not None and reading.good:
                reading.again(record)
            else:
                await self._anew(consumer, record)

    async def close(self) -> None:
        """End all of them."""
        readings = self.all
        self._readings.clear()
        await asyncio.gather(*map(self._end, readings))

    def current(self, holding: Holding) -> Holding | None:
        """Return what is in hand, unless it is no longer ours."""
        reading = self._still(holding)
        if reading is None:
            return None
        reading.use()
        return reading.holding

    def settle(self, holding: Holding, offset: int) -> None:
        """Take a message as answered."""
        reading = self._still(holding)
        if reading is not None:
            reading.settle(offset)

    def _still(self, holding: Holding) -> R | None:
        reading = self._readings.get(_key(holding.consumer))
        return reading if reading is not None and reading.good and reading.number == holding.made else None

    def _turn(self, consumer: Consumer) -> asyncio.Lock:
        return self._turns.setdefault(_key(consumer), asyncio.Lock())

    async def _anew(self, consumer: Consumer, record: ConsumerRecord) -> R:
        former = self._readings.pop(_key(consumer), None)
        if former is not None:
            await self._end(former)
        reading = self._readings[_key(consumer)] = self._begin(record)
        return reading


def _key(consumer: Consumer) -> str:
    return f"{consumer.stream} {consumer.name}"
