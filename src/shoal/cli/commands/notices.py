"""``shoal notices``."""

from datetime import UTC, datetime

import click

from shoal.cli.output import examples, output_option, print_json, print_table, say, service_option
from shoal.cli.program import FOUND, OK, Global


@click.command(
    "notices",
    epilog=examples(
        "shoal notices                                what goes on that somebody should know",
        "shoal notices --all --service orders         also what is over",
        "shoal notices --run 3 -o json",
    ),
)
@service_option("notices")
@click.option("--rule", type=click.Choice(["budget", "error", "traffic"]), help="Only those of this rule.")
@click.option("--all", "everything", is_flag=True, help="Also those that are over.")
@click.option("--run", "number", default=0, metavar="N", help="Of a recorded run  [default: the latest].")
@output_option
@click.pass_obj
def command(context: Global, service: str, rule: str | None, everything: bool, number: int, output: str) -> int:
    """List what somebody should hear of: budgets that burn, errors that are new, unusual traffic.

    Exits with 1 when something goes on that somebody should be woken for.
    """
    from shoal.dashboard.notices.kept import notices
    from shoal.dashboard.store import runs
    from shoal.dashboard.store.reading import database

    with database(runs.find(runs.folder_of(context.root), number)) as opened:
        found = notices(opened, service=service, rule=rule or "", going=not everything).items
    if output == "json":
        print_json(found)
    elif found:
        rows = [(n.severity, _when(n.since), _when(n.until), n.service, n.text) for n in found]
        print_table(("SEVERITY", "SINCE", "UNTIL", "SERVICE", "WHAT"), rows)
    else:
        say("nothing that anybody should hear of" if everything else "nothing goes on; --all shows what is over")
    return FOUND if any(n.severity == "page" and n.until is None for n in found) else OK


def _when(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone():%H:%M:%S}"
