"""The consumer as an author of Shoal writes it, in three ways: SQL, a record that is read and written, and batches."""

import msgspec

from shoal import Postgres, Service, Transaction, event, record

UPDATE = "update accounts set orders = orders + 1, total = total + $2 where id = $1"

UPDATE_MANY = """
update accounts a set orders = a.orders + n.orders, total = a.total + n.total
from (select id, count(*) as orders, sum(total) as total
      from unnest($1::text[], $2::bigint[]) as e (id, total) group by id) n
where a.id = n.id
"""

LARGEST_BATCH = 128


@event("orders.placed", key="account")
class OrderPlaced(msgspec.Struct, frozen=True, kw_only=True):
    """What is announced."""

    account: str
    order: str
    total: int


@record("accounts", key="id")
class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a customer."""

    id: str
    orders: int
    total: int


_STORE = Postgres(migrations="tables")

sql = Service("sql", store=_STORE)
rows = Service("rows", store=_STORE)
batches = Service("batches", store=_STORE)


@sql.on(OrderPlaced)
async def count(placed: OrderPlaced, tx: Transaction) -> None:
    """Count an order, in SQL."""
    await tx.execute(UPDATE, placed.account, placed.total)


@rows.on(OrderPlaced)
async def count_row(placed: OrderPlaced, tx: Transaction) -> None:
    """Count an order, in Python."""
    account = await tx.require(Account, placed.account, lock=True)
    tx.put(Account(id=account.id, orders=account.orders + 1, total=account.total + placed.total))


@batches.on(OrderPlaced, batch=LARGEST_BATCH)
async def count_many(placed: list[OrderPlaced], tx: Transaction) -> None:
    """Count some orders, in one statement."""
    await tx.execute(UPDATE_MANY, [one.account for one in placed], [one.total for one in placed])
