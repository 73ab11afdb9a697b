"""Runs the door of `shoal.local.objects`, through which clients get and bring what services keep in folders."""

import functools
import importlib.metadata
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from shoal.local.engines.recipe import Addresses, EngineKind, Recipe
from shoal.local.host import private_directory, private_file
from shoal.local.objects.settings import Settings
from shoal.local.ports import LOOPBACK, check_port
from shoal.local.probe import ready
from shoal.local.process import Command, base_environment


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectsOptions:
    """A door.

    Args:
        directory: Where its settings are written, which hold the keys.
        port: Where it listens, on loopback.
        folders: Address of the objects of each service.
        name: What messages call it.
    """

    directory: Path
    port: int
    folders: Mapping[str, str] = field(repr=False)
    name: str = "objects"


def recipe(options: ObjectsOptions) -> Recipe:
    """Describe how to run a door; its address is ``http``."""
    return Recipe(
        name=options.name, prepare=functools.partial(prepare, options), probe=functools.partial(probe, options)
    )


def locate() -> Path:
    """Return the interpreter that runs it."""
    return Path(sys.executable)


KIND = EngineKind(
    name="objects", distribution="shoal", purpose="lends objects that lie in folders", locate=locate,
    look=lambda: importlib.metadata.version("shoal"),
)  # fmt: skip


async def prepare(options: ObjectsOptions) -> Command:
    """Write its settings and return the command; raises `HostError` when its port is busy."""
    check_port(options.port)
    private_directory(options.directory)
    settings = Settings(port=options.port, folders=dict(options.folders))
    file = private_file(options.directory / "settings.json", msgspec.json.encode(settings).decode())
    return Command(
        name=options.name,
        argv=(str(locate()), "-P", "-m", "shoal.local.objects", str(file)),
        cwd=options.directory,
        env=base_environment({"PYTHONPATH": str(Path(__file__).parents[3])}),  # where this `shoal` lies
        stop_after=2.0,
    )


async def probe(options: ObjectsOptions) -> Addresses:
    """Wait until it answers."""
    await ready(options.port, "/health")
    return {"http": f"http://{LOOPBACK}:{options.port}"}
