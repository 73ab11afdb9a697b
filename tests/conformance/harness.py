"""What a suite asks of an engine under test, and how it waits."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

from shoal.drivers.base import Account, Broker, BrokerAdmin, Mark, Message, Migration, Store, Table
from shoal.errors import Unavailable

T = TypeVar("T")

PATIENCE = 20.0
"""Seconds after which something that should happen has not."""

NOW = datetime.now(UTC)

ORDERS = Table(
    name="orders", key="id", columns=("id", "customer", "total", "note", "lines"), json=frozenset({"lines"}),
    unique=frozenset({"customer"}),
)  # fmt: skip
PRICES = Table(name="prices", key="sku", columns=("sku", "amount"))

CREATE = Migration(
    number=1, name="0001_create.sql", checksum="a" * 64,
    sql="""
    create table orders (id text primary key, customer text unique, total integer, note text, lines jsonb);
    create table prices (sku text primary key, amount integer default 7);
    """,
)  # fmt: skip


class StoreHarness(Protocol):
    """An engine with one empty database for the test."""

    capabilities: frozenset[str]
    """Of the engine's row in the catalog."""

    async def store(self) -> Store:
        """Open another connection to the database, as another replica would; the harness closes it."""
        ...

    async def vanish(self, store: Store) -> None:
        """Have the process that opened `store` die."""
        ...

    async def age(self, days: float) -> None:
        """Have everything that the database holds happened so much earlier."""
        ...

    async def crash(self) -> None:
        """Kill the engine with SIGKILL."""
        ...

    async def start(self) -> None:
        """Start it again."""
        ...


def few(harness: StoreHarness, wanted: int) -> int:
    """Return how many things one commit may change: those wanted, or as many as an engine takes at once."""
    limit = getattr(harness, "commit_limit", 0)
    return min(wanted, limit) if limit else wanted


class BrokerHarness(Protocol):
    """An engine whose streams are empty."""

    capabilities: frozenset[str]
    """Of the engine's row in the catalog."""

    async def broker(self, user: str) -> Broker:
        """Connect as ``operator``, who may do everything, or as ``service``, who may use the test's one consumer."""
        ...

    def admin(self) -> BrokerAdmin:
        """Return the operator's hands."""
        ...

    async def crash(self) -> None:
        """Kill the engine with SIGKILL."""
        ...

    async def start(self) -> None:
        """Start it again."""
        ...


def row(key: str, **fields: object) -> dict[str, object]:
    """Make an order whose customer nobody else is."""
    return {"id": key, "customer": f"customer of {key}", "total": 0, "note": None, "lines": "[]"} | fields


def message(number: int | str, subject: str = "t.event.placed", *, key: str = "", **headers: str) -> Message:
    """Make a message."""
    return Message(id=f"m{number}", subject=subject, body=f"body {number}".encode(), headers=headers, key=key)


def mark(message_id: int | str = "m", consumer: str = "c", days: float = 0.0) -> Mark:
    """Make a mark of a message that was made `days` ago."""
    return Mark(consumer=consumer, message_id=str(message_id), at=NOW - timedelta(days=days))


def account(name: str) -> Account:
    """Make an account with a password that needs quoting everywhere."""
    return Account(database=name, role=name, password='pass\'word\\ "of" %s/@:?#&= ' + name)


async def soon(happening: Awaitable[T]) -> T:
    """Wait for what must happen."""
    return await asyncio.wait_for(happening, PATIENCE)


async def back(attempt: Callable[[], Awaitable[T]]) -> T:
    """Repeat what is `Unavailable` until the engine is back."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await attempt()
            except Unavailable:
                await asyncio.sleep(0.02)


async def turns(store: Store) -> None:
    """Let other tasks get as far as they can: to what they wait for."""
    for _ in range(20):
        await store.ping()
        await asyncio.sleep(0)
