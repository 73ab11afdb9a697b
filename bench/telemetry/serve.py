"""Serve one contestant; each line on standard input asks for everything that it recorded to be sent, and counted."""

import asyncio
import os
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
import uvloop

from bench.handler import world
from bench.handler.serve import Serving

Flush = Callable[[], Awaitable[None]]


class Flushed(msgspec.Struct, frozen=True, kw_only=True):
    """Printed when everything was sent."""

    seconds: float


async def _nothing() -> None:
    """Send nothing."""


async def _ours(jwks: Path, sink: int, stack: AsyncExitStack) -> tuple[Any, Flush]:
    from bench.handler.ours import baskets  # noqa: PLC0415 - a contestant must not pay for the others
    from shoal.runtime.clients import LocalTransport  # noqa: PLC0415
    from shoal.runtime.config import ServiceConfig  # noqa: PLC0415
    from shoal.runtime.host import Fittings, Host  # noqa: PLC0415
    from shoal.runtime.logs import Journal  # noqa: PLC0415
    from shoal.runtime.telling import Telemetry  # noqa: PLC0415

    receiver = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{sink}", "OTEL_METRIC_EXPORT_INTERVAL": "5000"}
    environ = receiver if sink else {}
    config = ServiceConfig(
        system="bench",
        entry=baskets.entry,
        jwks=str(jwks),
        issuer=world.ISSUER,
        audience=world.AUDIENCE,
        environ=environ,
    )
    telemetry = Telemetry(environ)
    recorder = telemetry.recorder(baskets.name, config)
    journal = Journal(baskets.name, "0")
    journal._stream = stack.enter_context(open(os.devnull, "wb"))  # noqa: ASYNC230, PTH123, SIM115, SLF001 - standard output speaks of something else here
    host = Host(baskets, config, Fittings(transport=LocalTransport(), journal=journal, recorder=recorder))
    await stack.enter_async_context(telemetry)
    await host.start()
    await stack.enter_async_context(telemetry.sending([(host.vitals, host.recorder)]))
    exporter = telemetry.exporter
    if exporter is None:
        return host, _nothing

    async def flush() -> None:
        if not await asyncio.to_thread(exporter.flush, 600.0):
            raise TimeoutError("the sink did not take what was recorded")

    return host, flush


async def _fastapi(jwks: Path, sink: int, _: AsyncExitStack) -> tuple[Any, Flush]:
    from bench.handler.fastapi_app import application  # noqa: PLC0415

    app = application(jwks, world.ISSUER, world.AUDIENCE)
    if not sink:
        return app, _nothing
    from bench.telemetry.instrumented import instrument  # noqa: PLC0415

    return app, instrument(app, sink)


CONTESTANTS = {"Shoal": _ours, "FastAPI": _fastapi}


async def serve(name: str, jwks: Path, sink: int) -> None:
    """Serve until killed; say first where."""
    async with AsyncExitStack() as stack:
        application, flush = await CONTESTANTS[name](jwks, sink, stack)
        config = uvicorn.Config(
            application,
            loop="none",
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=600,
        )
        listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        _say(Serving(port=listening.getsockname()[1]))
        threading.Thread(target=_answer, args=(asyncio.get_running_loop(), flush), daemon=True).start()
        await uvicorn.Server(config).serve([listening])


def _answer(loop: asyncio.AbstractEventLoop, flush: Flush) -> None:
    for _ in sys.stdin.buffer:
        began = time.perf_counter()
        asyncio.run_coroutine_threadsafe(_await(flush), loop).result()
        _say(Flushed(seconds=time.perf_counter() - began))


async def _await(flush: Flush) -> None:
    await flush()


def _say(what: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Serve a contestant: its name, the file of keys, the port of the sink or 0, the processor to run on."""
    name, jwks, sink, processor = sys.argv[1:]
    os.sched_setaffinity(0, {int(processor)})
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(serve(name, Path(jwks), int(sink)))


if __name__ == "__main__":
    main()
