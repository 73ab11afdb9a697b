"""Runs a stand-in for an outside system: ``python -m MODULE`` with ``HOST``, ``PORT`` and ``STATE``."""

import functools
import sys
from dataclasses import dataclass
from pathlib import Path

from shoal.local.engines.recipe import Addresses, Recipe
from shoal.local.host import private_directory
from shoal.local.ports import LOOPBACK, check_port
from shoal.local.probe import ready
from shoal.local.process import Command, base_environment

_LONGEST_PAUSE = 1.0
"""Seconds between two questions to an application that is not ours: it may log, or work, for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """A sandbox.

    Args:
        name: Name of the external it stands in for.
        module: What to run.
        health: Path that answers 2xx once it works.
        port: Where it listens.
        directory: Keeps its state over restarts.
        root: Folder that its module is imported from.
        path: Search path of modules.
    """

    name: str
    module: str
    health: str
    port: int
    directory: Path
    root: Path
    path: str


def recipe(options: SandboxOptions) -> Recipe:
    """Describe how to run a sandbox; its address is ``http``."""
    return Recipe(
        name=options.name,
        prepare=functools.partial(prepare, options),
        probe=functools.partial(probe, options),
        asked=f"GET http://{LOOPBACK}:{options.port}{options.health}",
        hint='name a path that it answers with 2xx: Legacy(..., health="/"), or Sandbox(..., health="/")',
    )


async def prepare(options: SandboxOptions) -> Command:
    """Return the command; raises `HostError` when its port is busy."""
    check_port(options.port)
    private_directory(options.directory)
    own = {"HOST": LOOPBACK, "PORT": str(options.port), "STATE": str(options.directory)}
    return Command(
        name=options.name,
        argv=(sys.executable, "-m", options.module),
        cwd=options.root,
        env=base_environment({"PYTHONPATH": options.path, "PYTHONUNBUFFERED": "1"} | own),
        stop_after=5.0,
    )


async def probe(options: SandboxOptions) -> Addresses:
    """Wait until it answers."""
    await ready(options.port, options.health, _LONGEST_PAUSE)
    return {"http": f"http://{LOOPBACK}:{options.port}"}
