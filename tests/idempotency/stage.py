"""The till in a process of its own on a PostgreSQL of its own, and clients who speak HTTP to it."""

import asyncio
import os
import random
import signal
import sys
from asyncio import StreamReader, StreamWriter
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec

from shoal.drivers.base import Store
from shoal.local.ports import free_port
from tests.idempotency.pairs import Answer, Tally, pair, play
from tests.runtime.database import Database, database

CONNECTIONS = 48
PATIENCE = 60.0
ROOT = Path(__file__).parents[2]
_AGAIN = (500, 502, 503, 504)


class Till:
    """A running till, which can be killed."""

    def __init__(self, server: Database, url: str, folder: Path) -> None:
        self.store: Store = server.store(url)
        self._port = free_port()
        self._outside = folder / "outside.txt"
        self._environ = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SHOAL_SYSTEM": "t",
            "SHOAL_ENTRY": "tests.idempotency.till:till",
            "SHOAL_LISTEN": f"tcp:127.0.0.1:{self._port}",
            "SHOAL_STORE_URL": url,
            "SHOAL_ACCESS_LOG": "false",
            "TILL__OUTSIDE": str(self._outside),
        }
        self._idle: asyncio.LifoQueue[tuple[StreamReader, StreamWriter] | None] = asyncio.LifoQueue()
        for _ in range(CONNECTIONS):
            self._idle.put_nowait(None)
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the process and wait until it serves."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "shoal.runtime", env=self._environ, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(PATIENCE):
            while True:
                assert self._process.returncode is None, "it ended at once; its words are above"
                with suppress(OSError):
                    await _close(await asyncio.open_connection("127.0.0.1", self._port))
                    return
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """Kill the process and start it again."""
        await self.end(signal.SIGKILL)
        await self.start()

    async def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the process."""
        assert self._process is not None
        self._process.send_signal(how)
        await self._process.wait()

    async def post(self, path: str, key: str, body: bytes) -> Answer:
        """Send a command until it is answered."""
        async with asyncio.timeout(PATIENCE):
            while True:
                link = await self._idle.get()
                try:
                    link = link or await asyncio.open_connection("127.0.0.1", self._port)
                    answer = await _ask(*link, path, key, body)
                except (OSError, asyncio.IncompleteReadError):
                    await _close(link)
                    link = None
                    await asyncio.sleep(0.02)
                else:
                    if answer.status not in _AGAIN:
                        return answer
                    await asyncio.sleep(0.02)
                finally:
                    self._idle.put_nowait(link)

    async def hang_up(self) -> None:
        """Close every connection."""
        while not self._idle.empty():
            await _close(self._idle.get_nowait())

    async def sales(self) -> dict[str, list[int]]:
        """Read what was sold: amounts by mark."""
        found: dict[str, list[int]] = {}
        async with self.store.session() as session:
            for row in await session.fetch("select mark, amount from sales"):
                found.setdefault(str(row["mark"]), []).append(msgspec.convert(row["amount"], int))
        return found

    def charged(self) -> Counter[str]:
        """Count what was done outside, by mark."""
        return Counter(self._outside.read_text().split()) if self._outside.exists() else Counter()

    async def told(self) -> int:
        """Count the events that were committed."""
        return (await self.store.backlog()).count


async def _ask(reader: StreamReader, writer: StreamWriter, path: str, key: str, body: bytes) -> Answer:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: till\r\nContent-Type: application/json\r\n"
        f"Idempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:] if line)
    answer = await reader.readexactly(int(headers["content-length"]))
    replayed = headers.get("idempotency-replayed") == "true"
    return Answer(status=int(lines[0].split()[1]), body=answer, replayed=replayed)


async def _close(link: tuple[StreamReader, StreamWriter] | None) -> None:
    if link is not None:
        link[1].close()
        with suppress(OSError):
            await link[1].wait_closed()


@asynccontextmanager
async def till(server: Database, folder: Path) -> AsyncIterator[Till]:
    """Run a till until the block ends."""
    running = Till(server, await server.empty(), folder)
    await running.start()
    await running.store.open()
    try:
        yield running
    finally:
        await running.hang_up()
        await running.end()


async def measure(count: int, seed: int = 1) -> tuple[Tally, int]:
    """Play `count` pairs, and count the effects; each that is missing, doubled or another one is noted as wrong."""
    chance = random.Random(seed)  # noqa: S311 - repeatable
    groups = [pair(chance) for _ in range(count)]
    async with database() as server, till(server, server.place) as running:
        tally = await play(groups, running.post, at_a_time=CONNECTIONS // 2)
        effects = await running.sales()
        charged = running.charged()
        for group in groups:
            if effects.get(group.mark) != [tally.amounts.get(group.mark)]:
                tally.wrong.append(f"{group.mark}: sold {effects.get(group.mark)}")
            if charged[group.mark] != (group.path == "/charges"):
                tally.wrong.append(f"{group.mark}: charged {charged[group.mark]} times")
        if await running.told() != count:
            tally.wrong.append(f"{await running.told()} events were committed")
    return tally, sum(map(len, effects.values()))
