"""A host that publishes keys, and can be away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.listening import listening


class KeyHost:
    """Answers every request with the same document."""

    def __init__(self, text: str = '{"keys": []}') -> None:
        self.text, self.status = text, 200
        self.asked = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        body = self.text.encode()
        head = f"HTTP/1.1 {self.status} X\r\ncontent-type: application/json\r\nconnection: close\r\n"
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()


@contextlib.asynccontextmanager
async def key_host() -> AsyncIterator[KeyHost]:
    """Run one on loopback."""
    host = KeyHost()
    async with listening(host.serve) as port:
        host.url = f"http://127.0.0.1:{port}/keys"
        yield host
