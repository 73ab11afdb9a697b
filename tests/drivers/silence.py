"""A connection that leads nowhere."""

import asyncio
import contextlib
from urllib.parse import urlsplit


class Proxy:
    """Stands between a client and the server, and can fall silent as a host without power does."""

    def __init__(self, server: str) -> None:
        parts = urlsplit(server)
        self._host, self._port = parts.hostname or "", parts.port or 0
        self._heard = asyncio.Event()
        self._heard.set()

    def fall_silent(self) -> None:
        """Pass nothing more over the connections that there are; new ones are fine."""
        self._heard.clear()
        self._heard = asyncio.Event()
        self._heard.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._host, self._port)
        try:
            await asyncio.gather(*(self._pass(*way, self._heard) for way in ((reader, back), (there, writer))))
        finally:
            back.transport.abort()
            with contextlib.suppress(OSError):
                await back.wait_closed()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, heard: asyncio.Event) -> None:
        while data := await source.read(65536):
            await heard.wait()
            sink.write(data)
        sink.write_eof()
