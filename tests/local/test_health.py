"""A broker that says that it cannot go on is restarted; one that says nothing is left alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shoal.local import health
from shoal.local.health import watch_health
from tests.listening import listening

SICK = b"HTTP/1.1 503 Service Unavailable\r\n\r\n" + b'{"status":"error","error":"stream \'ORDERS\' is not writable"}'
WELL = b"HTTP/1.1 200 OK\r\n\r\n{}"


@asynccontextmanager
async def server(answers: list[bytes]) -> AsyncIterator[int]:
    """Give one answer after the other, the last one again and again; an empty one never comes."""
    given = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal given
        await reader.readuntil(b"\r\n\r\n")
        text = answers[min(given, len(answers) - 1)]
        given += 1
        if not text:
            await reader.read()
        writer.write(text)
        await writer.drain()

    async with listening(answer) as port:
        yield port


async def watched(port: int, monkeypatch: pytest.MonkeyPatch, within: float) -> list[str]:
    """Watch until a restart is asked for, or for so long."""
    monkeypatch.setattr(health, "EVERY", 0.01)
    said: list[str] = []
    watching = asyncio.create_task(watch_health(lambda: port, said.append))
    try:
        async with asyncio.timeout(within):
            while not said:  # noqa: ASYNC110 - nothing tells when
                await asyncio.sleep(0.005)
    except TimeoutError:
        pass
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    return said


async def test_one_that_is_sick_for_some_time_is_restarted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with server([SICK] * health.OFTEN + [WELL]) as port:
        (said,) = await watched(port, monkeypatch, 20)
    assert "stream 'ORDERS' is not writable" in said


@pytest.mark.parametrize("answers", [[WELL], [SICK, WELL] * 20, [SICK] * (health.OFTEN - 1) + [WELL], [b""]])
async def test_one_that_recovers_or_says_nothing_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, answers: list[bytes]
) -> None:
    async with server(answers) as port:
        assert not await watched(port, monkeypatch, 0.7)


async def test_one_that_does_not_run_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not await watched(0, monkeypatch, 0.1)
