"""The program ``shoal``: its commands, imported when they are used, and its exit codes."""

import importlib
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import click

from shoal.errors import DeclarationError, EngineError, HostError, SettingsError, ShoalError

BEGAN = time.monotonic()
"""When this program began, on the monotonic clock."""

OK, FOUND, USAGE, ENVIRONMENT, OVER, INTERRUPTED = 0, 1, 2, 3, 4, 130

COMMANDS = {
    "new": "Make a working system of two services with green tests.",
    "run": "Start the system here and keep it running.",
    "ps": "Show what runs.",
    "logs": "Show what processes printed.",
    "open": "Open the dashboard in the browser.",
    "traces": "Show what requests did, service by service.",
    "metrics": "Show what services measured.",
    "runs": "List, compare, hand on and take in what runs recorded.",
    "dashboard": "Show what any program sends in OpenTelemetry's protocol.",
    "why": "Explain why a request got what it got.",
    "stop": "Stop the system.",
    "call": "Send a typed request through the gateway.",
    "token": "Print a signed token for the local gateway.",
    "keys": "Make, list and revoke the keys of consumers.",
    "describe": "Show what the system is.",
    "contract": "Keep contracts in files, and refuse what breaks their consumers.",
    "affected": "Tell which services a change concerns, and why.",
    "dlq": "List, read, edit, send again and throw away dead letters.",
    "saga": "See sagas, and help those that need a person.",
    "projections": "See read models, and build them anew from their events.",
    "schedules": "See what runs by the clock, and run it now.",
    "load": "Use the system as its visitors do, and measure what they meet.",
    "objectives": "See what services promise, and how they keep it.",
    "actions": "See who did what to the running system.",
    "notices": "See what somebody should hear of.",
    "commands": "See who asked for what, and what became of it.",
    "privacy": "See which personal data there is, renew its keys, and follow erasures.",
    "fault": "Make calls between services late or fail on purpose.",
    "canary": "Run two versions of a service side by side, and let the better one win.",
    "strangle": "Take over the paths of an old application one by one.",
    "check": "Find the ways in which the system will go wrong, before it does.",
    "explain": "Show what a code of the check means.",
    "fit": "Tell whether the system is better off as services, with numbers.",
    "audit": "Check that nothing was lost and nothing happened twice.",
    "deploy": "Write what a platform needs to run the system.",
    "cost": "Estimate what a month of the system costs.",
    "doctor": "Check what this machine offers.",
}
"""Command → summary. Each is the attribute ``command`` of a module of that name in ``shoal.cli.commands``."""

_EPILOG = """\b
Examples:
  shoal new demo && cd demo
  shoal run
  shoal ps

\b
Exit codes:
  0    all is well
  1    something was found or has failed
  2    the command line is wrong
  3    this machine lacks something, or an engine cannot be reached
  4    it costs more than the budget
  130  interrupted
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Global:
    """What every command may need."""

    root: Path
    system: str
    """``module:attribute``; empty when it is to be found in ``pyproject.toml``."""
    verbosity: int = 0
    """-1 quiet, 0 normal, 1 verbose."""


class Commands(click.Group):
    """Imports a command when it is used, so that ``--help`` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click.Group
        """List the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click.Group
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"shoal.cli.commands.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; where there is none of that name, name those that look like it."""
        import difflib

        close = difflib.get_close_matches(args[0], COMMANDS, n=1)
        if args[0] not in COMMANDS and close:
            raise click.UsageError(f"No such command {args[0]!r}. Did you mean {close[0]!r}?", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click.Group
        """Write the list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-C", "folder", type=click.Path(path_type=Path), default=".", help="Folder of the project.")
@click.option(
    "--system", default="", help="MODULE:ATTRIBUTE of the system [default: pyproject.toml, else system:system]."
)
@click.option("-q", "--quiet", is_flag=True, help="Say only what is wrong.")
@click.option("-v", "--verbose", is_flag=True, help="Say more.")
@click.version_option(package_name="shoal", prog_name="shoal", message="%(prog)s %(version)s")
@click.pass_context
def shoal(context: click.Context, folder: Path, system: str, quiet: bool, verbose: bool) -> None:
    """Many small services that move as one."""
    if not folder.is_dir():
        raise click.UsageError(f"-C {folder}: there is no such folder")
    context.obj = Global(root=folder.resolve(), system=system, verbosity=verbose - quiet)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the program and exit. Errors of ours are printed as ``error:`` and ``hint:``, never as a traceback."""
    try:
        found = shoal.main(args=arguments, prog_name="shoal", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except ShoalError as error:
        complain(error)
        sys.exit(exit_code(error))
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(OK)
    sys.exit(found if isinstance(found, int) else OK)


def complain(error: ShoalError) -> None:
    """Print an error and what to do about it."""
    from shoal.cli.output import style

    head, *rest = f"error: {error}".splitlines()
    lines = [style(head, sys.stderr, fg="red", bold=True)]
    lines += [style(line, sys.stderr, fg="cyan") if line.startswith("hint: ") else line for line in rest]
    click.echo("\n".join(lines), err=True, color=True)


def exit_code(error: ShoalError) -> int:
    """Choose the exit code of an error."""
    if isinstance(error, DeclarationError):
        return FOUND
    return ENVIRONMENT if isinstance(error, (HostError, EngineError, SettingsError)) else FOUND
