"""Servers that answer as a test says, on loopback and in the test's own loop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from shoal.load.wire import Site

Heard = tuple[str, str, dict[str, str], bytes]
"""Method, target, headers and body."""
Handler = Callable[[Heard], Awaitable[bytes | None]]
"""Returns the whole answer as it travels; None hangs up."""


def answer(status: int = 200, body: bytes = b"{}", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"content-length: {len(body)}", *headers]
    return "\r\n".join((*lines, "", "")).encode() + body


@asynccontextmanager
async def serving(handle: Handler) -> AsyncIterator[Site]:
    """Serve until the block ends; then every connection is closed."""
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(_serve(handle, reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield Site(host="127.0.0.1", port=server.sockets[0].getsockname()[1], authority="test")
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def _serve(handle: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while (heard := await _heard(reader)) is not None and (said := await handle(heard)) is not None:
            writer.write(said)
    except ConnectionError:
        pass
    finally:
        writer.close()


async def _heard(reader: asyncio.StreamReader) -> Heard | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:-2])}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    method, target, _ = head[0].split(" ")
    return method, target, headers, body
