"""``shoal commands list``."""

import asyncio
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import click
import msgspec

from shoal.cli.durations import seconds
from shoal.cli.output import examples, output_option, print_json, print_table, say, service_option
from shoal.cli.program import Global

if TYPE_CHECKING:
    from shoal.runtime.commands.entries import Entry

_EXAMPLES = examples(
    "shoal commands list                          the latest fifty commands that were recorded",
    "shoal commands list --by usr_3f... --since 1h",
    "shoal commands list --trace 4bf92f35...      what was done in a trace",
    "shoal commands list --service products --operation change_product --json",
)


@click.group("commands", epilog=_EXAMPLES)
def command() -> None:
    """See who asked for what, and what became of it: the audit log of commands."""


@command.command("list", epilog=_EXAMPLES)
@service_option("commands")
@click.option("--by", default="", metavar="SUBJECT", help="Only what this principal asked for.")
@click.option("--operation", default="", metavar="NAME", help="Only this operation.")
@click.option("--trace", default="", metavar="ID", help="Only what was asked for in this trace.")
@click.option("--since", default="", metavar="1h", help="Only what was asked for since then (s, m, h, d).")
@click.option("--limit", default=50, type=click.IntRange(1, 100_000), help="At most so many, the latest.")
@output_option
@click.pass_obj
def list_(context: Global, /, service: str, since: str, output: str, **wanted: Any) -> None:
    """List commands, the latest last."""
    after = datetime.now(UTC) - timedelta(seconds=seconds(since)) if since else None
    found = asyncio.run(_read(context, service, since=after, **wanted))
    if output == "json":
        print_json([{"service": name, **msgspec.to_builtins(entry)} for name, entry in found])
    elif found:
        print_table(("TIME", "WHO", "COMMAND", "PATH", "FROM", "OUTCOME", "TRACE"), [_row(*each) for each in found])
    else:
        say("nothing is recorded; endpoints that demand a role to change something are, and those with audited=True")


async def _read(
    context: Global, only: str, *, by: str, operation: str, trace: str, since: datetime | None, limit: int
) -> "list[tuple[str, Entry]]":
    from shoal.operating.engines import engines
    from shoal.runtime.commands.reading import commands

    run, found = engines(context), []
    if only:
        run.planned(only)
    for planned in run.plan.services:
        if planned.store is not None and only in ("", planned.name):
            async with run.store(planned.name) as store:
                said = await commands(store, by=by, operation=operation, trace=trace, since=since, limit=limit)
            found += [(entry.id, (planned.name, entry)) for entry in said]
    return [each for _, each in sorted(found, key=itemgetter(0))[-limit:]]


def _row(service: str, entry: "Entry") -> tuple[str, ...]:
    who = f"{entry.subject or 'anyone'} ({', '.join(entry.roles)})" if entry.roles else entry.subject or "anyone"
    path = " ".join(f"{name}={value}" for name, value in sorted(entry.path.items())) or "-"
    outcome = f"{entry.status} {entry.problem}".rstrip()
    when = f"{entry.at:%Y-%m-%d %H:%M:%S}"
    return when, who, f"{service}.{entry.operation}", path, entry.caller or "-", outcome, entry.trace_id
