"""How much goes into one transaction, where the engine sets a bound that nobody can foresee."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from shoal.errors import TooLarge

T = TypeVar("T")


class Portion:
    """Half as much after a transaction that was too large, and one more after each that was not.

    Args:
        most: What is tried at first, and never exceeded.
    """

    __slots__ = ("_most", "size")

    def __init__(self, most: int) -> None:
        self._most = self.size = most

    async def take(self, work: Callable[[int], Awaitable[T]]) -> T:
        """Do as much as one transaction takes; raises `TooLarge` when it does not even take one."""
        while True:
            try:
                done = await work(self.size)
            except TooLarge:
                if self.size == 1:
                    raise
                self.halve(self.size)
            else:
                self.grow()
                return done

    def grow(self) -> None:
        """Take one more."""
        self.size = min(self._most, self.size + 1)

    def halve(self, tried: int) -> None:
        """Take half of what was too much."""
        self.size = max(1, tried // 2)
