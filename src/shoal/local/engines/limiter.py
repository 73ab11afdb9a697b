"""Runs the limiter of `shoal.local.limiter`, while some declared limit is counted for all gateways together."""

import functools
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from shoal.errors import HostError
from shoal.local.engines.recipe import Addresses, EngineKind, Recipe
from shoal.local.host import private_directory, private_file, require_socket_path
from shoal.local.limiter.settings import Settings
from shoal.local.probe import connect, until
from shoal.local.process import Command, base_environment

_DISTRIBUTION = "h2"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimiterOptions:
    """A limiter.

    Args:
        settings: Where it listens and counts.
        directory: Where its settings are written.
        name: What messages call it.
    """

    settings: Settings
    directory: Path
    name: str = "limiter"


def recipe(options: LimiterOptions) -> Recipe:
    """Describe how to run a limiter; its address is ``grpc``, the path of a UNIX socket."""
    return Recipe(
        name=options.name, prepare=functools.partial(prepare, options), probe=functools.partial(probe, options)
    )


def locate() -> Path:
    """Return the interpreter that runs it.

    Raises:
        HostError: h2 is not installed.
    """
    if importlib.util.find_spec(_DISTRIBUTION) is None:
        raise HostError(
            f"the package {_DISTRIBUTION} is not installed", hint="install the engines: pip install 'shoal[local]'"
        )
    return Path(sys.executable)


KIND = EngineKind(name="limiter", distribution=_DISTRIBUTION, purpose="limits counted for all gateways", locate=locate)


async def prepare(options: LimiterOptions) -> Command:
    """Write its settings and return the command.

    Raises:
        HostError: Missing package, or the path of its socket is too long.
    """
    interpreter = locate()
    _make_way(Path(options.settings.listen))
    private_directory(options.directory)
    file = private_file(options.directory / "settings.json", msgspec.json.encode(options.settings).decode())
    return Command(
        name=options.name,
        argv=(str(interpreter), "-P", "-m", "shoal.local.limiter", str(file)),
        cwd=options.directory,
        env=base_environment({"PYTHONPATH": str(Path(__file__).parents[3])}),  # where this `shoal` lies
        stop_after=2.0,
    )


def _make_way(place: Path) -> None:
    require_socket_path(place)
    private_directory(place.parent)
    place.unlink(missing_ok=True)


async def probe(options: LimiterOptions) -> Addresses:
    """Wait until it takes questions; whether it can count is another matter, since Valkey may come later."""

    async def listens() -> bool | None:
        _, writer = await connect(Path(options.settings.listen))
        writer.close()
        return True

    await until(listens)
    return {"grpc": f"unix:{options.settings.listen}"}
