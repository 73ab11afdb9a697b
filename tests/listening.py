"""A server on loopback that leaves no connection behind, whatever its clients were doing when the test ended."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def listening(serve: Serve, port: int = 0, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Let `serve` answer every connection on a port of loopback, until the block ends; yield the port."""
    open_ones: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_ones[writer] = task
        try:
            with contextlib.suppress(OSError, EOFError):
                await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", port, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in open_ones.values():
            task.cancel()
        await asyncio.gather(*open_ones.values(), return_exceptions=True)
        for writer in open_ones:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
