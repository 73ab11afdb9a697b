"""``shoal dlq list|show|edit|replay|purge``."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from shoal.cli.acting import acts
from shoal.cli.output import examples, output_option, print_json, say, service_option
from shoal.cli.program import FOUND, OK, Global
from shoal.errors import ShoalError

if TYPE_CHECKING:
    from shoal.drivers.base import BrokerAdmin
    from shoal.operating.engines import Engines
    from shoal.runtime.consuming.graves import Grave
    from shoal.runtime.consuming.rehearsal import Rehearsal

T = TypeVar("T")

_EXAMPLES = examples(
    "shoal dlq list                           what was given up, and why",
    "shoal dlq show payments-17               one letter: data, error, stack, history",
    "shoal dlq replay payments-17 --dry-run   what handling it would do now, without doing it",
    "shoal dlq replay --all                   send every letter to its consumer once more",
)


@click.group("dlq", epilog=_EXAMPLES)
def command() -> None:
    """List, read, edit, send again and throw away dead letters.

    A dead letter is a message that a service gave up: its handler failed too often, or nobody could read it.
    """


def _which(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the ways to name letters."""
    named = click.argument("ids", nargs=-1, metavar="[ID]...")
    service = click.option("--service", default="", metavar="NAME", help="With --all: only those of this service.")
    return named(service(click.option("--all", "everything", is_flag=True, help="Every letter.")(function)))


@command.command("list", epilog=examples("shoal dlq list", "shoal dlq list --service payments --json | jq '.[].error'"))
@service_option("the letters")
@click.option("--type", "kind", default="", metavar="EVENT", help="Only events of this type, such as orders.placed.v1.")
@output_option
@click.pass_obj
def list_(context: Global, service: str, kind: str, output: str) -> int:
    """List dead letters, the oldest first.

    Exits with 1 when there are any, since they wait for you.
    """
    from shoal.cli import graveyard
    from shoal.operating import letters
    from shoal.operating.engines import engines

    async def look(running: "Engines", broker: "BrokerAdmin") -> "list[Grave]":
        return [g for g in await letters.found(running, broker, service) if kind in ("", g.letter.type)]

    running = engines(context)
    found = _run(running, look) if running.hears else []
    if output == "json":
        print_json([letters.plain(grave) for grave in found])
    elif found:
        graveyard.show_list(found)
    else:
        say("no dead letters")
    return FOUND if found else OK


@command.command("show", epilog=examples("shoal dlq show payments-17", "shoal dlq show payments-17 -o json"))
@click.argument("id_", metavar="ID")
@output_option
@click.pass_obj
def show(context: Global, id_: str, output: str) -> int:
    """Show one letter: the message as it was, why it was given up, and every attempt."""
    from shoal.cli import graveyard
    from shoal.operating import letters

    async def look(running: "Engines", broker: "BrokerAdmin") -> "Grave":
        return (await letters.chosen(running, broker, [id_]))[0]

    grave = _act(context, look)
    if output == "json":
        print_json(letters.plain(grave))
    else:
        graveyard.show_one(grave)
    return OK


@command.command(
    "edit",
    epilog=examples(
        "shoal dlq edit payments-17                       opens $EDITOR",
        'shoal dlq edit payments-17 --data \'{"order_id": "ord_7"}\'',
        "shoal dlq edit payments-17 --file corrected.json",
    ),
)
@click.argument("id_", metavar="ID")
@click.option("--data", default="", help="The new data, as JSON.")
@click.option("--file", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Read it from here.")
@click.pass_obj
@acts("edit letter", "id_")
def edit(context: Global, id_: str, data: str, file: Path | None) -> int:
    """Correct the data of a letter, which keeps what it was at first; `replay` then sends what was corrected.

    The data must be what the event's handler takes. Of a message that is no event, the whole of it is edited.
    """
    from shoal.cli import graveyard
    from shoal.operating import letters

    async def act(running: "Engines", broker: "BrokerAdmin") -> str:
        (grave,) = await letters.chosen(running, broker, [id_])
        text = _text(graveyard.pretty(grave), data, file)
        if text is None:
            return f"{id_} stays as it was"
        after = await letters.edit(running, broker, grave, text)
        return f"{id_} is {after.id} now; send it with: shoal dlq replay {after.id}"

    say(_act(context, act))
    return OK


@command.command(
    "replay",
    epilog=examples(
        "shoal dlq replay payments-17 --dry-run",
        "shoal dlq replay payments-17 payments-18",
        "shoal dlq replay --all --service payments",
    ),
)
@_which
@click.option("--dry-run", is_flag=True, help="Show what its handler would do, and do nothing.")
@output_option
@click.pass_obj
@acts("replay letters", "ids", "service", "everything")
def replay(context: Global, /, ids: tuple[str, ...], service: str, everything: bool, dry_run: bool, output: str) -> int:
    """Send letters to their consumer once more; they keep their event's id, so nothing happens twice.

    With --dry-run the handler of this checkout runs here, in a transaction of the service's own store that is rolled
    back. What it would do elsewhere, such as calls and mails, is refused. Exits with 1 when a handler would fail.
    """
    from shoal.operating import letters

    if dry_run:
        return _rehearse(context, (ids, service, everything), as_json=output == "json")

    async def act(running: "Engines", broker: "BrokerAdmin") -> "list[Grave]":
        wanted = await _wanted(running, broker, ids, service, everything=everything)
        await letters.replay(running, broker, wanted)
        return wanted

    sent = _act(context, act)
    if output == "json":
        print_json([letters.plain(grave) for grave in sent])
    else:
        say(f"{len(sent)} sent again; what fails comes back: shoal dlq list" if sent else "no dead letters")
    return OK


@command.command(
    "purge", epilog=examples("shoal dlq purge payments-17", "shoal dlq purge --all --service payments --yes")
)
@_which
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
@acts("purge letters", "ids", "service", "everything")
def purge(context: Global, ids: tuple[str, ...], service: str, everything: bool, yes: bool) -> int:
    """Throw letters away for good: their events count as handled, and their effects never happen."""
    from shoal.operating import letters

    async def act(running: "Engines", broker: "BrokerAdmin") -> int:
        wanted = await _wanted(running, broker, ids, service, everything=everything)
        if wanted and not yes and not _agreed(wanted):
            return 0
        await letters.purge(running, broker, wanted)
        return len(wanted)

    say(f"{_act(context, act)} thrown away")
    return OK


def _agreed(wanted: "list[Grave]") -> bool:
    """Ask whether letters may be thrown away."""
    named = f"{', '.join(g.id for g in wanted[:5])}{' …' if len(wanted) > 5 else ''}"
    try:
        return click.confirm(f"throw away {named}?")
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise ShoalError(f"nothing was thrown away: nobody could be asked about {named}", hint="add --yes") from None


def _rehearse(context: Global, which: tuple[tuple[str, ...], str, bool], *, as_json: bool) -> int:
    from shoal.cli import graveyard
    from shoal.operating import letters

    ids, service, everything = which

    async def act(running: "Engines", broker: "BrokerAdmin") -> "list[tuple[Grave, Rehearsal]]":
        return await letters.try_out(running, await _wanted(running, broker, ids, service, everything=everything))

    rehearsed = _act(context, act)
    if as_json:
        import msgspec

        print_json([{"id": grave.id, **msgspec.to_builtins(found)} for grave, found in rehearsed])
    else:
        for grave, found in rehearsed:
            graveyard.show_rehearsal(grave, found)
        say("nothing was changed" if rehearsed else "no dead letters")
    return OK if all(found.succeeds for _, found in rehearsed) else FOUND


async def _wanted(
    running: "Engines", broker: "BrokerAdmin", ids: tuple[str, ...], service: str, *, everything: bool
) -> "list[Grave]":
    """Find the letters that the command line names."""
    from shoal.operating import letters

    if bool(ids) == everything or (service and not everything):
        raise click.UsageError("name letters by their ids, or say --all, perhaps with --service NAME")
    return await (letters.found(running, broker, service) if everything else letters.chosen(running, broker, ids))


def _text(present: str, data: str, file: Path | None) -> bytes | None:
    """Take the new text from where it is given, or from an editor; None when nothing was changed."""
    if data and file is not None:
        raise click.UsageError("give --data or --file, not both")
    if data:
        return data.encode()
    if file is not None:
        return file.read_bytes()
    if not (sys.stdin.isatty() or os.environ.get("EDITOR") or os.environ.get("VISUAL")):
        raise ShoalError("there is no terminal for an editor", hint="use --data or --file, or set EDITOR")
    try:
        edited = click.edit(present, extension=".json")
    except click.ClickException as error:
        raise ShoalError(f"no editor: {error.message}", hint="set EDITOR, or use --data or --file") from error
    return None if edited is None or edited == present else edited.encode()


def _act(context: Global, act: "Callable[[Engines, BrokerAdmin], Awaitable[T]]") -> T:
    from shoal.operating.engines import engines

    return _run(engines(context), act)


def _run(running: "Engines", act: "Callable[[Engines, BrokerAdmin], Awaitable[T]]") -> T:
    async def run() -> T:
        return await act(running, running.broker())

    return asyncio.run(run())
