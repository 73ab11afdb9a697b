"""What is stored, and what is published, by everybody alike."""

from collections.abc import Awaitable, Callable, Sequence

from bench.side import Ways
from shoal.drivers.base import Broker, Message, Published, Query, Store, Table
from shoal.local.secrets import OPERATOR

BATCH = 100
TABLE = Table(name="things", key="id", columns=("id", "owner", "amount", "note"))
KEYS = tuple(f"thing-{number:04}" for number in range(BATCH))
ROWS = tuple({"id": key, "owner": "somebody", "amount": 4200, "note": "n" * 150} for key in KEYS)
BODY = b'{"specversion":"1.0","type":"bench.done","data":"' + b"x" * 330 + b'"}'
STREAM, SUBJECT, USER = "bench", "bench.done", OPERATOR


def stored(store: Store) -> Ways:
    """Write and read through our driver: a transaction with one row, and one with all."""

    async def alone() -> int:
        async with store.session() as session:
            session.put(TABLE, ROWS[0])
        async with store.session() as session:
            return 1 + int(await session.get(TABLE, KEYS[0]) == ROWS[0])

    async def together() -> int:
        async with store.session() as session:
            for row in ROWS:
                session.put(TABLE, row)
        async with store.session() as session:
            return BATCH + len(await session.find(TABLE, Query(where={"id": KEYS})))

    return alone, together


def published(broker: Broker) -> Ways:
    """Publish through our driver: one message, and all in one call."""
    numbers = _numbers()

    async def publish(count: int) -> int:
        ids = [next(numbers) for _ in range(count)]  # each a key of its own, as in what the relay sends together
        some = [Message(id=one, subject=SUBJECT, body=BODY, key=one) for one in ids]
        return sum(isinstance(one, Published) for one in await broker.publish(some))

    return lambda: publish(1), lambda: publish(BATCH)


def sent(one: Callable[[str], Awaitable[object]], many: Callable[[Sequence[str]], Awaitable[object]]) -> Ways:
    """Publish through a client, under ids of the same length."""
    numbers = _numbers()

    async def alone() -> int:
        await one(next(numbers))
        return 1

    async def together() -> int:
        await many([next(numbers) for _ in range(BATCH)])
        return BATCH

    return alone, together


class _numbers:  # noqa: N801 - reads as the function that it is
    """Yield ids that no other side uses."""

    _last = 0

    def __next__(self) -> str:
        _numbers._last += 1
        return f"id-{_numbers._last:012}"
