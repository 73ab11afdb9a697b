"""Serve one contestant: the same server, with the same options, for all of them."""

import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
import uvloop

from bench.handler import world


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """Printed once the socket is open."""

    port: int


async def _ours(jwks: Path, _size: int) -> Any:
    from bench.handler.ours import baskets  # noqa: PLC0415 - a contestant must not pay for the others
    from shoal.runtime.clients import LocalTransport  # noqa: PLC0415
    from shoal.runtime.config import ServiceConfig  # noqa: PLC0415
    from shoal.runtime.host import Fittings, Host  # noqa: PLC0415

    config = ServiceConfig(
        system="bench", entry=baskets.entry, jwks=str(jwks), issuer=world.ISSUER, audience=world.AUDIENCE
    )
    host = Host(baskets, config, Fittings(transport=LocalTransport()))
    await host.start()
    return host


async def _fastapi(jwks: Path, _size: int) -> Any:
    from bench.handler.fastapi_app import application  # noqa: PLC0415

    return application(jwks, world.ISSUER, world.AUDIENCE)


async def _bare(_jwks: Path, size: int) -> Any:
    from bench.handler.bare import Bare  # noqa: PLC0415

    return Bare(msgspec.json.encode(world.quote("customer-00", size)))


CONTESTANTS = {"Shoal": _ours, "FastAPI": _fastapi, "bare ASGI": _bare}


async def serve(name: str, jwks: Path, size: int) -> None:
    """Serve until killed; say first where."""
    application = await CONTESTANTS[name](jwks, size)
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
    sys.stdout.buffer.write(msgspec.json.encode(Serving(port=listening.getsockname()[1])) + b"\n")
    sys.stdout.buffer.flush()
    await uvicorn.Server(config).serve([listening])


def main() -> None:
    """Serve a contestant: its name, the file of keys, the lines of an order, the processor to run on."""
    name, jwks, size, processor = sys.argv[1:]
    os.sched_setaffinity(0, {int(processor)})
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(serve(name, Path(jwks), int(size)))


if __name__ == "__main__":
    main()
