"""A process that runs sagas, or workflows, by several tasks at a time; each waits for the end of what it began."""

import asyncio
import sys
from collections.abc import Sequence
from secrets import token_hex
from typing import Any

import msgspec
import uvloop

from bench.durable.work import Act, Done, Task, repeat
from bench.saga.service import trips
from shoal.runtime.asgi import request
from shoal.runtime.clients import LocalTransport
from shoal.runtime.config import ServiceConfig
from shoal.runtime.host import Fittings, Host
from shoal.runtime.logs import Journal
from shoal.runtime.trace import Trace

LAST = "book_car"


class Ends(Journal):
    """Hears of each step, as a log does, and tells who waits for a saga of its last one."""

    def __init__(self) -> None:
        super().__init__("trips", "0")
        self.waiting: dict[str, asyncio.Future[None]] = {}

    def write(self, level: str, message: str, trace: Trace | None, fields: dict[str, Any]) -> None:  # noqa: ARG002
        """Hear of a step; its commit has happened."""
        if fields.get("step") == LAST and fields["outcome"] == "ok":
            self.waiting.pop(fields["saga_id"]).set_result(None)


async def sagas(url: str, clients: int) -> Sequence[Act]:
    """Start the service, with a connection for each client."""
    ends = Ends()
    config = ServiceConfig(system="bench", entry=trips.entry, store_url=f"{url}&pool={clients}")
    host = Host(trips, config, Fittings(transport=LocalTransport(), journal=ends))
    await host.start()
    await asyncio.sleep(1)  # the rights to its sagas, as DBOS has its worker threads by now

    async def act() -> None:
        key = token_hex(16)
        ended = ends.waiting[f"trip/{key}"] = asyncio.get_running_loop().create_future()
        status, _, answer = await request(host, "POST", f"/trips/{key}", {}, b"")
        if status != 202:
            raise RuntimeError(f"a saga was answered {status}: {answer!r}")
        await ended

    return [act] * clients


async def serve(kind: str, url: str, clients: int) -> None:
    """Take tasks from standard input until it ends."""
    if kind == "Shoal":
        acts = await sagas(url, clients)
    else:
        from bench.saga import workflow  # noqa: PLC0415 - only those sides need it installed

        acts = await (workflow.threads if kind == "DBOS, threads" else workflow.workflows)(url, clients)
    read = msgspec.json.Decoder(Task).decode
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        task = read(line)
        seconds = await repeat(acts[: task.clients], task.operations)
        sys.stdout.buffer.write(msgspec.json.encode(Done(seconds=seconds)) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], sys.argv[2], int(sys.argv[3])))
