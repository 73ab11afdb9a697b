"""A process that does durable work: commands through Shoal, or bare inserts, by several tasks at a time."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from itertools import count
from secrets import token_hex
from typing import Any

import asyncpg
import msgspec
import uvloop

from bench.durable.service import orders
from shoal.runtime.asgi import scope
from shoal.runtime.clients import LocalTransport
from shoal.runtime.config import ServiceConfig
from shoal.runtime.host import Fittings, Host

INSERT = "insert into orders (id, customer, sku, quantity, total) values ($1, $2, $3, $4, $5)"
BY_HAND = f"""
with receipt as (
    insert into shoal.receipts (key, fingerprint, status, headers, body) values ($6, $7, 201, $8::jsonb, $9)
), message as (
    insert into shoal.outbox (id, subject, key, body, headers) values ($10, $11, $12, $13, $14::jsonb)
) {INSERT}
"""  # noqa: S608 - no value comes from outside
"""What a command writes, as somebody without a framework would write it."""

BODY = msgspec.json.encode({"customer": "customer-01", "sku": "SKU-00001", "quantity": 3})

Act = Callable[[], Awaitable[None]]
"""One durable operation; each task has its own."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What to do next."""

    operations: int
    clients: int


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """How long it took."""

    seconds: float


async def commands(url: str, clients: int) -> Sequence[Act]:
    """Start the service, with a connection for each client as the bare inserts have."""
    config = ServiceConfig(system="bench", entry=orders.entry, store_url=f"{url}&pool={clients}")
    host = Host(orders, config, Fittings(transport=LocalTransport()))
    await host.start()
    template, numbers, run = scope("POST", "/orders", {"content-type": "application/json"}), count(), token_hex(16)

    async def act() -> None:
        key = (b"idempotency-key", b"%s-%d" % (run.encode(), next(numbers)))
        await host({**template, "headers": [*template["headers"], key]}, _receive, _send)

    return [act] * clients


async def on_documents(url: str, clients: int) -> Sequence[Act]:
    """Start the same service on documents in the same PostgreSQL."""
    return await commands(url.replace("postgres:", "documents:", 1), clients)


async def _receive() -> MutableMapping[str, Any]:
    return {"type": "http.request", "body": BODY, "more_body": False}


async def _send(message: MutableMapping[str, Any]) -> None:
    if message.get("status", 201) != 201:
        raise RuntimeError(f"a command was answered {message['status']}")


async def inserts(url: str, clients: int) -> Sequence[Act]:
    """Connect once for each client: no pool, no framework, one prepared statement that commits itself."""
    return [await _insert(url) for _ in range(clients)]


async def by_hand(url: str, clients: int) -> Sequence[Act]:
    """Write all that a command writes, without reading a request or spelling an event."""
    return [await _by_hand(url) for _ in range(clients)]


async def _insert(url: str) -> Act:
    connection = await asyncpg.connect(url)
    statement = await connection.prepare(INSERT)

    async def act() -> None:
        await statement.fetch(token_hex(16), "customer-01", "SKU-00001", 3, 597)

    await act()  # preparing has left a transaction open
    return act


async def _by_hand(url: str) -> Act:
    connection = await asyncpg.connect(url)
    statement = await connection.prepare(BY_HAND)
    answer, message = b"x" * 110, b"x" * 330  # as long as what Shoal writes
    digest, headers = "f" * 64, '[["content-type","application/json"]]'

    async def act() -> None:
        row = (token_hex(16), "customer-01", "SKU-00001", 3, 597)
        receipt = (f"place\n\n{token_hex(16)}", digest, headers, answer)
        await statement.fetch(
            *row, *receipt, token_hex(16), "bench.event.orders.placed.v1.0", token_hex(16), message, None
        )

    await act()
    return act


KINDS = {"Shoal": commands, "Shoal, documents": on_documents, "bare insert": inserts, "by hand": by_hand}


async def repeat(acts: Sequence[Act], operations: int) -> float:
    """Have every client act again and again until `operations` are done in all; return the seconds."""
    left = operations

    async def client(act: Act) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await act()

    started = time.perf_counter()
    await asyncio.gather(*(client(act) for act in acts))
    return time.perf_counter() - started


async def serve(kind: str, url: str, clients: int) -> None:
    """Take tasks from standard input until it ends."""
    acts = await KINDS[kind](url, clients)
    read = msgspec.json.Decoder(Task).decode
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        task = read(line)
        seconds = await repeat(acts[: task.clients], task.operations)
        sys.stdout.buffer.write(msgspec.json.encode(Done(seconds=seconds)) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], sys.argv[2], int(sys.argv[3])))
