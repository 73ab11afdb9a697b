"""The system, started as its user would, and ended again."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, STDOUT
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from bench import http
from bench.workers import ROOT
from shoal.local.ports import free_port

PATIENCE = 60.0


def request(path: str) -> bytes:
    """Spell a request as it travels."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: application/json\r\n\r\n".encode()


def made(place: Path) -> Path:
    """Make a folder."""
    place.mkdir()
    return place


@asynccontextmanager
async def running(place: Path, options: Sequence[str] = ()) -> AsyncIterator[int]:
    """Run it until the block ends; yields the gateway's port once everything answers."""
    port = free_port()
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    words = ["-C", str(place), "--system", "bench.hops.system:system", "run", "--no-reload", "--port", str(port)]
    with (place / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "shoal.cli", *words, *options),
            env=os.environ | {"PYTHONPATH": path},
            stdin=DEVNULL,
            stdout=log,
            stderr=STDOUT,
        )
    try:
        async with asyncio.timeout(PATIENCE):
            for one in ("/relayed/7", "/ground/7", "/sifted/7"):
                while not await _answers(port, one):
                    if process.returncode is not None:
                        raise RuntimeError((place / "log").read_text("utf-8", "replace")[-3000:])
                    await asyncio.sleep(0.05)
        yield port
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await process.wait()


async def _answers(port: int, path: str) -> bool:
    with suppress(OSError, asyncio.IncompleteReadError, IndexError):
        return (await http.send(port, request(path))).status == 200
    return False
