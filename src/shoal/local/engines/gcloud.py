"""Emulators that the Google Cloud CLI brings, which are run by the machine's Java."""

import asyncio
import os
import shutil
from pathlib import Path

from shoal.errors import HostError
from shoal.local.ports import LOOPBACK
from shoal.local.probe import until

QUIET = "handlers = java.util.logging.ConsoleHandler\n.level = WARNING\n"
"""What their loggers are told, or they write several lines for each request."""


def folders(place: str, component: str) -> list[Path]:
    """List where an emulator may lie: where a variable says, and in the folder of ``gcloud``.

    Args:
        place: Name of the variable.
        component: Name of its folder among the components of ``gcloud``.
    """
    named, program = os.environ.get(place, ""), shutil.which("gcloud")
    found = [Path(named)] if named else []
    return found + ([Path(program).resolve().parent.parent / "platform" / component] if program else [])


def java(what: str) -> str:
    """Return the program that runs Java; raises `HostError`."""
    home = os.environ.get("JAVA_HOME", "")
    program = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if program is None:
        raise HostError(f"{what} needs Java", hint="install a Java runtime of version 11 or newer")
    return program


async def answering(port: int) -> None:
    """Wait until an emulator says that it is well."""

    async def check() -> bool | None:
        return await _speaks(port) or None

    await until(check)


async def _speaks(port: int) -> bool:
    """Ask for its root; it answers, and keeps the connection whatever it is told."""
    try:
        async with asyncio.timeout(1.0):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                return b" 200 " in await reader.readline()
            finally:
                writer.transport.abort()
    except (OSError, EOFError, TimeoutError):
        return False
