"""A host that publishes keys, and can be away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class KeyHost:
    """Answers every request with the same document."""

    def __init__(self, text: str = '{"keys": []}') -> None:
        self.text, self.status = text, 200
        self.asked = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            self.asked += 1
            body = self.text.encode()
            head = f"HTTP/1.1 {self.status} X\r\ncontent-type: application/json\r\nconnection: close\r\n"
            writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def key_host() -> AsyncIterator[KeyHost]:
    """Run one on loopback."""
    host = KeyHost()
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0)
    host.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"
    try:
        yield host
    finally:
        server.close()
