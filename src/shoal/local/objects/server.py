"""Just enough of HTTP/1.1 for a door on loopback: one request for each connection (RFC 9112)."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from shoal.drivers.base.door import Answer, Door, refuse

SECONDS_TO_ASK = 5.0
IDLE_SECONDS = 30.0
"""After which a client that sends or takes nothing is let go of."""

PIECE = 64 * 1024
_PASSED_OVER = 16 * 1024 * 1024
"""Bytes of a refused body that are still taken, so that its sender gets to read the answer."""


class Porter:
    """Answers connections for the doors of several services (callback of `asyncio.start_server`)."""

    def __init__(self, doors: Mapping[str, Door]) -> None:
        self._doors = doors

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        try:
            async with asyncio.timeout(SECONDS_TO_ASK):
                head = await reader.readuntil(b"\r\n\r\n")
            await self._answer(head.decode("latin-1"), reader, writer)
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _answer(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = _read(head)
        if request is None:
            await _send(refuse(400, "this is no request with a length"), writer, whole=True)
            return
        body = _Body(reader, writer, request)
        answer = await self._through(request, body)
        await body.pass_over()
        await _send(answer, writer, whole=request.method != "HEAD")

    async def _through(self, request: "_Request", body: "_Body") -> Answer:
        if request.target == "/health":
            return Answer(200, {"content-length": "0"})
        found = self._doors.get(request.target.split("/")[1].partition("?")[0])
        if found is None:
            return refuse(404, "nobody keeps anything here")
        return await found.answer(request.method, request.target, request.headers, body.pieces())


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    target: str
    headers: Mapping[str, str]
    size: int


class _Body:
    """The body of a request, as it comes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: _Request) -> None:
        self._reader, self._writer = reader, writer
        self._left = request.size
        self._awaited = request.headers.get("expect", "").lower() == "100-continue"

    async def pieces(self) -> AsyncIterator[bytes]:
        """Hand it over; it ends early when its sender does."""
        if self._awaited and self._left:
            self._awaited = False
            self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while self._left:
            async with asyncio.timeout(IDLE_SECONDS):
                piece = await self._reader.read(min(PIECE, self._left))
            if not piece:
                return
            self._left -= len(piece)
            yield piece

    async def pass_over(self) -> None:
        """Take what nobody wanted: who still sends when we hang up may never read why."""
        if self._awaited or self._left > _PASSED_OVER:
            return
        async for _ in self.pieces():
            pass


def _read(head: str) -> _Request | None:
    line, *fields = head.rstrip("\r\n").split("\r\n")
    words = line.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    length = headers.get("content-length", "0")
    if (
        len(words) != 3
        or not words[1].startswith("/")
        or "transfer-encoding" in headers
        or not (length.isascii() and length.isdigit())
    ):
        return None
    return _Request(words[0], words[1], headers, int(length))


async def _send(answer: Answer, writer: asyncio.StreamWriter, *, whole: bool) -> None:
    fields = {**answer.headers, "connection": "close"}
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}", *(f"{k}: {v}" for k, v in fields.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    if answer.body is not None and whole:
        async for piece in answer.body:
            writer.write(piece)
            async with asyncio.timeout(IDLE_SECONDS):
                await writer.drain()
    await writer.drain()
