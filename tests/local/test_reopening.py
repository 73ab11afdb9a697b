"""A proxy that does not open its log anew at the first word is told again."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from shoal.local.probe import until
from shoal.local.rotation import keep_bounded


class Admin:
    """Answers as a proxy's administration does; the first `failing` times it answers nothing."""

    def __init__(self, failing: int) -> None:
        self.failing, self.asked, self.reopened = failing, 0, 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"POST /reopen_logs ")
        self.asked += 1
        if self.asked > self.failing:
            self.reopened += 1
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nOK\n")
            await writer.drain()
        writer.close()


@asynccontextmanager
async def kept(admin: Admin) -> AsyncIterator[Path]:
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="sh-") as folder:
        access, socket = Path(folder) / "access.jsonl", Path(folder) / "admin"
        server = await asyncio.start_unix_server(admin.serve, str(socket))
        keeping = asyncio.create_task(keep_bounded(access, socket, largest=10, every=0.01))
        try:
            async with asyncio.timeout(10):
                yield access
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])
            server.close()
            await server.wait_closed()


@pytest.mark.parametrize("failing", [0, 1, 3])
async def test_it_is_told_until_it_answers(failing: int) -> None:
    admin = Admin(failing)
    async with kept(admin) as access:
        access.write_bytes(b"x" * 11)

        async def is_reopened() -> bool | None:
            return admin.reopened > 0 or None

        await until(is_reopened)
        assert access.with_name("access.1.jsonl").exists()
    assert admin.asked == failing + 1


async def test_a_log_that_somebody_took_away_is_opened_anew() -> None:
    admin = Admin(0)
    async with kept(admin) as access:

        async def is_reopened() -> bool | None:
            if access.exists():
                access.unlink()
            else:
                access.write_bytes(b"x")
            return admin.reopened > 0 or None

        await until(is_reopened)
