"""Runs the comparison of `shoal.local.parity`, while some route of an old application is in the state ``shadow``."""

import functools
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from shoal.local.engines.recipe import Addresses, Recipe
from shoal.local.host import private_directory, private_file, require_socket_path
from shoal.local.parity.server import Settings
from shoal.local.probe import ready
from shoal.local.process import Command, base_environment

NAME = "parity"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityOptions:
    """A comparison.

    Args:
        settings: What is compared, and where.
        file: Where its settings are written.
    """

    settings: Settings
    file: Path


def recipe(options: ParityOptions) -> Recipe:
    """Describe how to run it; its address is ``http``, the path of a UNIX socket."""
    return Recipe(
        name=NAME, prepare=functools.partial(_prepare, options), probe=functools.partial(_probe, options.settings)
    )


async def _prepare(options: ParityOptions) -> Command:
    require_socket_path(Path(options.settings.listen))
    private_directory(options.file.parent)
    private_file(options.file, msgspec.json.encode(options.settings).decode())
    return Command(
        name=NAME,
        argv=(sys.executable, "-P", "-m", "shoal.local.parity", str(options.file)),
        cwd=options.file.parent,
        env=base_environment({"PYTHONPATH": str(Path(__file__).parents[3])}),  # where this `shoal` lies
        stop_after=2.0,
    )


async def _probe(settings: Settings) -> Addresses:
    await ready(Path(settings.listen), "/health")
    return {"http": f"unix:{settings.listen}"}
