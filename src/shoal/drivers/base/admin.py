"""The operator's hands on a store."""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One role with its own database."""

    database: str
    role: str
    password: str


class StoreAdmin(Protocol):
    """The operator's hands on a store. Services never get them."""

    async def declare(self, accounts: Sequence[Account]) -> None:
        """Create or adapt roles and databases, each closed to all other roles; safe to repeat."""
        ...
