"""A service whose commands have effects that can be counted: rows in its store, lines in a file outside of it."""

import os
import uuid
from pathlib import Path

import msgspec

from shoal import Postgres, Problem, Service, Settings, Transaction, anyone, event, record


class TillSettings(Settings, frozen=True, kw_only=True):
    outside: str
    """File that stands for the world outside."""


class Outside:
    """Does what no rollback undoes."""

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.refuses = 0
        """How many commands from now on are refused."""

    async def charge(self, mark: str) -> None:
        os.write(self._file, f"{mark}\n".encode())  # one write is one line, also for many processes


class Order(msgspec.Struct, frozen=True, kw_only=True):
    mark: str
    """The same in all requests under one key, by which effects are counted."""
    amount: int


@record("sales", key="id")
class Sale(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    mark: str
    amount: int


@event("till.sold", key="mark")
class Sold(msgspec.Struct, frozen=True, kw_only=True):
    mark: str


till = Service(
    "till",
    store=Postgres(migrations="tables", sql=True),
    publishes=[Sold],
    settings=TillSettings,
)


@till.provide
def outside(settings: TillSettings) -> Outside:
    return Outside(Path(settings.outside))


@till.post("/sales", access=anyone, idempotent=True, status=201)
async def sell(order: Order, tx: Transaction) -> Sale:
    """Have every effect within the transaction."""
    sale = Sale(id=uuid.uuid4().hex, mark=order.mark, amount=order.amount)
    tx.insert(sale)
    tx.publish(Sold(mark=order.mark))
    return sale


@till.post("/charges", access=anyone, idempotent=True, status=201)
async def charge(order: Order, tx: Transaction, world: Outside) -> Sale:
    """Have an effect outside as well."""
    if world.refuses:
        world.refuses -= 1
        raise Problem(402, "no-money", "try again")
    await world.charge(order.mark)
    sale = Sale(id=uuid.uuid4().hex, mark=order.mark, amount=order.amount)
    tx.insert(sale)
    tx.publish(Sold(mark=order.mark))
    return sale
