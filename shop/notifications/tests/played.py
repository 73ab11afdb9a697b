"""A server over HTTP that answers what it is told to, and keeps what it was asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One request."""

    line: str
    headers: dict[str, str]
    body: bytes


class Played:
    """Gives every request the same answer; with none, the connection is cut after the request was read."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.answer: tuple[int, str, dict[str, str]] | None = (202, "", {})

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection, once."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *rest = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.asked.append(Asked(line=line, headers=headers, body=body))
        if self.answer is not None:
            status, said, more = self.answer
            fields = {
                "Content-Length": str(len(said)),
                "Connection": "close",
                "Content-Type": "application/json",
                **more,
            }
            lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            writer.write(f"HTTP/1.1 {status} Said\r\n{lines}\r\n{said}".encode())
            await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def playing() -> AsyncIterator[Played]:
    """Play on loopback."""
    played = Played()
    server = await asyncio.start_server(played.serve, "127.0.0.1", 0)
    played.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield played
    finally:
        server.close()
        await server.wait_closed()
