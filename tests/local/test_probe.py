"""Probes: what answers, what does not, and how bodies come."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from shoal.local.probe import get, ready, until

Serve = Callable[[Path, list[bytes]], Awaitable[asyncio.Server]]

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n"


async def serve(path: Path, answers: list[bytes]) -> asyncio.Server:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answers.pop(0) if len(answers) > 1 else answers[0])
        writer.close()

    return await asyncio.start_unix_server(answer, str(path))


@pytest.mark.parametrize(("answer", "body"), [(PLAIN, b"hello"), (CHUNKED, b"hello!")])
async def test_bodies_come_whole(place: Path, answer: bytes, body: bytes) -> None:
    async with await serve(place / "s", [answer]):
        assert (await get(place / "s", "/")).body == body


async def test_ready_waits_for_a_good_status(place: Path) -> None:
    answers = [b"HTTP/1.1 503 Unavailable\r\n\r\n", b"", PLAIN]
    async with asyncio.timeout(20), await serve(place / "s", answers):
        await ready(place / "s", "/ready")
    assert answers == [PLAIN]


async def test_ready_waits_for_a_listener(place: Path) -> None:
    waiting = asyncio.ensure_future(ready(place / "s", "/ready"))
    await asyncio.sleep(0)
    async with asyncio.timeout(20), await serve(place / "s", [PLAIN]):
        await waiting


async def test_what_does_not_speak_http_is_an_error(place: Path) -> None:
    async with await serve(place / "s", [b"SSH-2.0\r\n"]):
        with pytest.raises(ConnectionError, match="no HTTP answer"):
            await get(place / "s", "/")


async def test_until_lets_other_errors_through() -> None:
    async def wrong() -> None:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        await until(wrong)
