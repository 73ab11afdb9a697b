"""A process that consumes until its standard input ends."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

import msgspec
import uvloop

from bench.consumer.kinds import AS_IS, BARE, BATCHES, BY_BATCH, INBOX, ROWS, SERVICES, SQL, Ready, Start


async def ours(start: Start) -> None:
    """Run the service as its process does, but for HTTP and the log."""
    from bench.consumer import service  # noqa: PLC0415 - each side has dependencies of its own
    from shoal.runtime.clients import LocalTransport  # noqa: PLC0415
    from shoal.runtime.config import ServiceConfig  # noqa: PLC0415
    from shoal.runtime.host import Fittings, Host  # noqa: PLC0415

    declared = getattr(service, SERVICES[start.kind])
    config = ServiceConfig(system=start.system, entry=declared.entry, store_url=start.store, broker_url=start.broker)
    await Host(declared, config, Fittings(transport=LocalTransport())).start()


async def by_hand(start: Start) -> None:
    """Run FastStream."""
    from bench.consumer import by_hand  # noqa: PLC0415

    await by_hand.subscribe(start)


async def bare(start: Start) -> None:
    """Fetch and acknowledge, and nothing else."""
    from bench.consumer import bare  # noqa: PLC0415

    await bare.subscribe(start)


KINDS: dict[str, Callable[[Start], Awaitable[None]]] = {
    SQL: ours, ROWS: ours, BATCHES: ours, INBOX: by_hand, BY_BATCH: by_hand, AS_IS: by_hand, BARE: bare,
}  # fmt: skip


async def serve() -> None:
    """Read what to do, do it, and stay."""
    start = msgspec.json.decode(await asyncio.to_thread(sys.stdin.buffer.readline), type=Start)
    await KINDS[start.kind](start)
    sys.stdout.buffer.write(msgspec.json.encode(Ready()) + b"\n")
    sys.stdout.buffer.flush()
    await asyncio.to_thread(sys.stdin.buffer.read)


if __name__ == "__main__":
    uvloop.run(serve())
