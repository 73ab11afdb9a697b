"""A receiver of OTLP over HTTP that takes everything and keeps nothing."""

import asyncio
import os
import sys

import msgspec
import uvloop

from bench.handler.serve import Serving

_TAKEN = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n"


async def _take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request of a connection."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            writer.write(_TAKEN)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def serve() -> None:
    """Serve until killed; say first where."""
    server = await asyncio.start_server(_take, "127.0.0.1", 0, limit=1 << 24)
    sys.stdout.buffer.write(msgspec.json.encode(Serving(port=server.sockets[0].getsockname()[1])) + b"\n")
    sys.stdout.buffer.flush()
    await server.serve_forever()


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[1])})
    uvloop.run(serve())
