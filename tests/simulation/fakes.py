"""The outside world of a simulation."""

import asyncio
from collections import Counter

from shoal import Unavailable
from shoal.testing.simulation.faults import Chance
from tests.simulation.outside import Clumsy

MOST_MISHAPS = 2
"""Fewer than any handler has attempts, so that only poison becomes a dead letter."""


class Books:
    """What the provider did, by its own account."""

    def __init__(self) -> None:
        self.charged: dict[str, int] = {}
        self.refunded: dict[str, int] = {}
        self.asked: Counter[str] = Counter()

    @property
    def gifts(self) -> set[str]:
        """Keys of gifts; those of orders are their ids."""
        return {key for key in (*self.charged, *self.refunded) if key.startswith("c") and "-" in key}


class CountingProvider:
    """One process's way to the provider, which keeps its promise about keys."""

    def __init__(self, books: Books, chance: Chance) -> None:
        self._books, self._chance = books, chance

    async def charge(self, key: str, amount: int) -> None:
        if key in self._books.refunded:
            raise AssertionError(f"{key} is charged after it was refunded")
        await self._move(self._books.charged, key, amount)

    async def refund(self, key: str, amount: int) -> None:
        await self._move(self._books.refunded, key, amount)

    async def _move(self, book: dict[str, int], key: str, amount: int) -> None:
        await asyncio.sleep(self._chance.latency())
        if self._chance.strikes("outside.lost"):
            raise Unavailable("the provider was not reached")
        self._books.asked[key] += 1
        if book.setdefault(key, amount) != amount:
            raise AssertionError(f"key {key} was used for {book[key]} and for {amount}")
        await asyncio.sleep(self._chance.latency())
        if self._chance.strikes("outside.unknown"):
            raise Unavailable("the provider's answer was lost")


class FewMishaps:
    """Makes handlers fail now and then."""

    def __init__(self, chance: Chance) -> None:
        self._chance, self._left = chance, MOST_MISHAPS

    def happen(self) -> None:
        if self._left and not self._chance.calm and self._chance.below(8) == 0:
            self._left -= 1
            raise Clumsy("a handler stumbled")
