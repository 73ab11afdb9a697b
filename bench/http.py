"""One HTTP request on a connection of its own, to whatever listens on a port of this machine."""

import asyncio
from collections.abc import Mapping

import msgspec

PATIENCE = 10.0
"""Seconds that an answer may take."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def send(port: int, sent: bytes) -> Answer:
    """Send one request, as it travels, and read the answer; its length must be stated."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(sent)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:-2])}
            found = await reader.readexactly(int(headers.get("content-length", "0")))
            return Answer(status=int(head[0].split()[1]), headers=headers, body=found)
        finally:
            writer.close()
