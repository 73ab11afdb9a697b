"""``shoal traces``."""

import shutil
import sys
from typing import TYPE_CHECKING

import click
import msgspec

from shoal.cli.durations import milliseconds
from shoal.cli.output import examples, harmless, output_option, print_json, print_table, say, style
from shoal.cli.program import OK, Global
from shoal.cli.recorded import clock, recorded, run_option, since, took
from shoal.errors import ShoalError

if TYPE_CHECKING:
    from shoal.dashboard.store.reading import Database, Trace, TraceLine, TraceQuery

_EXAMPLES = examples(
    "shoal traces                               the newest ones",
    "shoal traces 0af7651916cd                  one of them, as a waterfall",
    "shoal traces --service orders --error",
    "shoal traces --slow 200ms --since 5m -o json",
    "shoal traces --attribute order.id=42       those that have it in a span",
)


_DIGITS = 12


@click.command("traces", epilog=_EXAMPLES)
@click.argument("wanted", default="", metavar="[ID]")
@click.option("--service", default="", metavar="NAME", help="Only traces in which this service took part.")
@click.option("--operation", default="", metavar="NAME", help="Only traces with a span of this name.")
@click.option("--error", is_flag=True, help="Only traces with an error.")
@click.option("--slow", default="", metavar="200ms", help="Only traces that lasted so long.")
@click.option("--attribute", default="", metavar="KEY=VALUE", help="Only traces with a span that has this.")
@click.option("--text", default="", help="Only traces with this in a name, or as a value.")
@click.option("--since", "age", default="", metavar="5m", help="Only traces younger than this (s, m, h, d).")
@click.option("--all", "everything", is_flag=True, help="Also work in the background that nobody asked for.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many.")
@run_option
@output_option
@click.pass_obj
def command(
    context: Global, /, wanted: str, run: int | None, output: str, age: str, slow: str, **wishes: object
) -> int:
    """Show what requests did, service by service.

    ID is the identifier of a trace or the beginning of one, such as the `trace_id` of a problem document or of a line
    of a log. Its spans are shown with what each took: the whole had to wait for those with ●, and those with ✗ failed.
    """
    from shoal.dashboard.store.reading import TraceQuery

    with recorded(context, run) as database:
        if wanted:
            _one(database, wanted, output)
        else:
            wishes |= {"errors": True if wishes.pop("error") else None, "min_ms": milliseconds(slow, "--slow")}
            wishes["asked"] = not wishes.pop("everything")
            _many(database, msgspec.convert(wishes | {"since": since(age)}, TraceQuery), output)
    return OK


def _many(database: "Database", query: "TraceQuery", output: str) -> None:
    from shoal.dashboard.store.reading import traces

    found = traces(database, query)
    if output == "json":
        print_json(found)
        return
    shown = _enough([one.trace_id for one in found.items])
    rows = [
        (
            *(clock(one.started), one.trace_id[:shown], one.name or "(its beginning is missing)", took(one.ms)),
            *(str(one.spans), _errors(one), " ".join(one.services)),
        )
        for one in found.items
    ]
    print_table(("STARTED", "TRACE", "REQUEST", "TOOK", "SPANS", "ERRORS", "SERVICES"), rows)
    if not rows:
        others = "; --all shows work in the background, too" if query.asked else ""
        say(f"no such traces; a span arrives about a second after it has ended{others}")
    elif found.next:
        say(f"the newest {len(rows)}; --limit shows more")


def _enough(identifiers: list[str]) -> int:
    """Say how many digits tell these traces apart."""
    return next((n for n in range(_DIGITS, 32, 4) if len({one[:n] for one in identifiers}) == len(identifiers)), 32)


def _errors(one: "TraceLine") -> str:
    return style(str(one.errors), sys.stdout, fg="red") if one.errors else "-"


def _one(database: "Database", wanted: str, output: str) -> None:
    from shoal.dashboard.store.reading import trace

    found = trace(database, wanted)
    if found is None:
        raise ShoalError(
            f"no trace {wanted} is on record",
            hint="its spans arrive about a second after they have ended; an earlier run is read with --run N",
        )
    if output == "json":
        print_json(found)
    else:
        _show(found)


def _show(trace: "Trace") -> None:
    from shoal.cli.waterfall import waterfall

    services = {span.service for span in trace.spans}
    failed = [span for span in trace.spans if span.status == "error"]
    title = f"trace {trace.trace_id}  {took(trace.ms)}  {trace.total} spans  {len(services)} services"
    click.echo(style(title, sys.stdout, bold=True), color=True)
    for line in waterfall(trace, shutil.get_terminal_size().columns):
        click.echo(harmless(line), color=True)
    for span in failed[:10]:
        why = span.message or str(span.attributes.get("error.type", ""))
        failure = harmless(f"{span.service}  {span.name}  {why}".rstrip())
        click.echo(style(f"\n✗ {failure}", sys.stdout, fg="red"), color=True)
        for event in span.events:
            told = event.attributes
            if event.name == "exception":
                click.echo(harmless(f"    {told.get('exception.type', '')}: {told.get('exception.message', '')}"))
    if trace.logs:
        click.echo()
        rows = [(clock(one.at), one.replica, one.level, one.message.partition("\n")[0]) for one in trace.logs]
        print_table(("TIME", "PROCESS", "LEVEL", "LOGGED"), rows)
