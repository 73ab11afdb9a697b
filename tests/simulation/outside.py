"""What lies outside of the simulated system, and counts what reaches it."""

from typing import Protocol

from shoal import Unavailable


class Provider(Protocol):
    """Moves money."""

    async def charge(self, key: str, amount: int) -> None:
        """Take money, once per key."""
        ...

    async def refund(self, key: str, amount: int) -> None:
        """Give money back, once per key."""
        ...


class Mishaps(Protocol):
    """Makes handlers fail now and then, for reasons of their own."""

    def happen(self) -> None:
        """Raise `Clumsy`, or not."""
        ...


class Clumsy(Exception):
    """A handler failed."""


class Nobody:
    """A provider for a system that is not simulated, and mishaps that never happen."""

    async def charge(self, key: str, amount: int) -> None:
        raise Unavailable(f"nobody charges {amount} for {key}")

    async def refund(self, key: str, amount: int) -> None:
        raise Unavailable(f"nobody refunds {amount} for {key}")

    def happen(self) -> None:
        pass
