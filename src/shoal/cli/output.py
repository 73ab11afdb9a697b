"""Tables, JSON and colour, the same for every command."""

import functools
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import IO, Any, TypeVar, cast

import click
import msgspec

F = TypeVar("F", bound=Callable[..., Any])

STATUS_COLOURS = {
    "ready": "green",
    "starting": "yellow",
    "restarting": "yellow",
    "stopping": "yellow",
    "failed": "red",
    "stopped": "bright_black",
}


_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_COMMANDS = re.compile(r"\x1b(?!\[[0-9;]*m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]")
"""What a terminal would obey: every control character but line breaks, tabs and colours (ECMA-48)."""


def output_option(command: F) -> F:
    """Add ``-o table|json``, and ``--json``, which says the same; the command takes it as `output`."""

    @functools.wraps(command)
    def merged(*args: Any, output: str, as_json: bool, **options: Any) -> Any:
        return command(*args, output="json" if as_json else output, **options)

    kinds = click.Choice(["table", "json"])
    form = click.option("-o", "--output", type=kinds, default="table", help="Form of the output.")
    return cast("F", click.option("--json", "as_json", is_flag=True, help="The same as -o json.")(form(merged)))


def service_option(what: str) -> Callable[[F], F]:
    """Add ``--service NAME``, which narrows a command to one service."""
    return click.option("--service", default="", metavar="NAME", help=f"Only {what} of this service.")


def examples(*lines: str) -> str:
    """Write the examples of a command for the end of its help."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def colourful(stream: IO[str]) -> bool:
    """Say whether to colour what goes to `stream` (NO_COLOR, FORCE_COLOR, TERM, CI)."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")


def style(text: str, stream: IO[str], **how: Any) -> str:
    """Colour `text` where `stream` shows colours."""
    return click.style(text, **how) if colourful(stream) else text


def status(word: str) -> str:
    """Colour the word for a status, for standard output."""
    return style(word, sys.stdout, fg=STATUS_COLOURS.get(word))


def print_json(data: object) -> None:
    """Print data as JSON."""
    click.echo(escaped(msgspec.json.format(msgspec.json.encode(data), indent=2).decode()))


def escaped(text: str) -> str:
    """Spell what a terminal would obey as JSON escapes it: a document in JSON says the same afterwards."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def harmless(text: str) -> str:
    """Take out what a terminal would obey, but for colours: what was recorded may be anybody's text."""
    return _COMMANDS.sub("\ufffd", text)


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns; nothing but the headers when there are none."""
    click.echo(table(headers, rows), color=True)


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align rows in columns; cells hold nothing that a terminal would obey."""
    everything = [tuple(headers), *(tuple(map(harmless, row)) for row in rows)]
    widths = [max(len(click.unstyle(row[n])) for row in everything) for n in range(len(headers))]
    return "\n".join(
        "  ".join(
            cell + " " * (width - len(click.unstyle(cell))) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in everything
    )


def say(text: str) -> None:
    """Print progress, which is no data, to standard error."""
    click.echo(text, err=True, color=True)
