"""``shoal actions``."""

import click

from shoal.cli.output import examples, harmless, output_option, print_json, print_table, say
from shoal.cli.program import OK, Global
from shoal.cli.recorded import clock, recorded, run_option, since, took


@click.command(
    "actions",
    epilog=examples(
        "shoal actions",
        "shoal actions --find letters --since 10m",
        "shoal actions --bad",
        "shoal actions --run 3 -o json",
    ),
)
@click.option("--find", "text", default="", metavar="TEXT", help="Only those with this in who, what, on what or why.")
@click.option("--bad", is_flag=True, help="Only those that were refused or failed.")
@click.option("--since", "age", default="", metavar="5m", help="Only those younger than this (s, m, h, d).")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many.")
@run_option
@output_option
@click.pass_obj
def command(context: Global, text: str, bad: bool, age: str, limit: int, run: int | None, output: str) -> int:
    """Show who did what to the running system, from the pages and from this command line, latest first.

    What is put into a thing, such as the data of an event, is not noted; nor is what only looks.
    """
    from shoal.dashboard.store.reading.actions import ActionQuery, actions

    with recorded(context, run) as database:
        found = actions(database, ActionQuery(text=text, bad=bad, since=since(age), limit=limit))
    if output == "json":
        print_json(found)
        return OK
    rows = [
        (clock(one.at, "%Y-%m-%d %H:%M:%S"), one.who, one.by, one.does, one.on, one.outcome, took(one.ms), one.error)
        for one in found.items
    ]
    if rows:
        shown = [tuple(map(harmless, row)) for row in rows]
        print_table(("WHEN", "WHO", "BY", "DID", "TO WHAT", "OUTCOME", "TOOK", "BECAUSE"), shown)
    else:
        say("nobody did such a thing" if text or bad or age else "nobody did anything to this run")
    if found.next:
        say(f"the latest {len(rows)}; --limit shows more")
    return OK
