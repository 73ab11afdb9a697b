"""Ask whether something answers: over HTTP on a UNIX socket or a loopback port."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Place = Path | int
"""Where something listens: a UNIX socket, or a port of 127.0.0.1."""

_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.03

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status and body of an HTTP answer."""

    status: int
    body: bytes


async def until(check: Callable[[], Awaitable[T | None]], longest: float = _LONGEST_PAUSE) -> T:
    """Repeat `check` until it returns something, with short and growing pauses; bound it with a timeout.

    A check that fails with OSError, as a refused connection does, counts as "not yet".
    """
    pause = _FIRST_PAUSE
    while True:
        try:
            found = await check()
        except (OSError, EOFError):
            found = None
        if found is not None:
            return found
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, longest)


async def connect(place: Place) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to a place."""
    if isinstance(place, Path):
        return await asyncio.open_unix_connection(str(place))
    return await asyncio.open_connection("127.0.0.1", place)


async def get(place: Place, path: str, *, within: float = 2.0) -> Answer:
    """Make one GET request; see `ask`."""
    return await ask(place, path, within=within)


async def ask(place: Place, path: str, *, method: str = "GET", within: float = 2.0) -> Answer:
    """Make one request without a body.

    Raises:
        OSError: Nobody answers there, or not within `within` seconds.
    """
    async with asyncio.timeout(within):
        reader, writer = await connect(place)
        try:
            fields = "Host: localhost\r\nConnection: close\r\n" + ("" if method == "GET" else "Content-Length: 0\r\n")
            writer.write(f"{method} {path} HTTP/1.1\r\n{fields}\r\n".encode())
            await writer.drain()
            answer = await reader.read(-1)
        finally:
            writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    words = head.split(None, 2)
    if len(words) < 2 or not words[1].isdigit():  # "HTTP/1.1 200"
        raise ConnectionError(f"no HTTP answer from {place}")
    chunked = b"transfer-encoding: chunked" in head.lower()
    return Answer(status=int(words[1]), body=_join_chunks(body) if chunked else body)


def _join_chunks(body: bytes) -> bytes:
    whole = bytearray()
    size, _, rest = body.partition(b"\r\n")
    while size and (length := int(size.partition(b";")[0], 16)):
        whole += rest[:length]
        size, _, rest = rest[length + 2 :].partition(b"\r\n")
    return bytes(whole)


async def ready(place: Place, path: str, longest: float = _LONGEST_PAUSE) -> None:
    """Wait until GET `path` answers with a status of class 2xx; ask again after `longest` seconds at most."""

    async def check() -> bool | None:
        return (await get(place, path)).status // 100 == 2 or None

    await until(check, longest)
