"""A service that reads what it is sent, run as `shoal run` runs one: a process of its own."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from shoal import Service, anyone
from shoal.mesh.layout import Pipe

ROOT = Path(__file__).parents[2]

shop = Service("shop")


class Note(msgspec.Struct):
    """What is written."""

    text: str


@shop.get("/open", access=anyone)
async def opened() -> str:
    """Answer at once."""
    return "open"


@shop.post("/write", access=anyone)
async def write(note: Note) -> int:
    """Say how much was read."""
    return len(note.text)


@dataclass(frozen=True, slots=True)
class Memory:
    """What Linux says of a process."""

    pid: int

    def forget(self) -> None:
        """Begin to look for the most from here on."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", "ascii")

    def most(self) -> int:
        """Return the bytes that it had in memory at the most."""
        text = Path(f"/proc/{self.pid}/status").read_text("ascii")
        return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("VmHWM:"))


@contextlib.asynccontextmanager
async def process(where: Pipe) -> AsyncIterator[Memory]:
    """Run it on a socket; yields once it is about to answer."""
    named = {"SHOAL_SYSTEM": "tiny", "SHOAL_ENTRY": "tests.mesh.diary:shop", "SHOAL_LISTEN": f"unix:{where.path}"}
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "shoal.runtime"), env={**os.environ, **named, "PYTHONPATH": path}, stdout=DEVNULL
    )
    try:
        yield Memory(process.pid)
    finally:
        process.terminate()
        await process.wait()
