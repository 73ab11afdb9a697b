"""Asking an application whether it is ready: not many times a second, and with a hint when it never is."""

import asyncio
from pathlib import Path

from shoal.local.engines.sandbox import SandboxOptions, recipe
from tests.listening import listening


async def test_an_application_that_answers_otherwise_is_asked_seldom(tmp_path: Path) -> None:
    asked: list[bytes] = []
    enough = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        enough.set()

    async with listening(answer) as port:
        options = SandboxOptions(
            name="old", module="old", health="/health", port=port, directory=tmp_path, root=tmp_path, path=""
        )
        described = recipe(options)
        probing = asyncio.ensure_future(described.probe())
        await asyncio.wait({probing}, timeout=2.0)
        probing.cancel()
        await asyncio.gather(probing, return_exceptions=True)
    assert enough.is_set()
    assert len(asked) <= 20  # 60 and more with the pauses for our own
    assert "Legacy(..., health=" in described.hint
