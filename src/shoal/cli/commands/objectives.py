"""``shoal objectives``."""

import click

from shoal.cli.output import examples, output_option, print_json, print_table, say, service_option
from shoal.cli.program import FOUND, OK, Global


@click.command(
    "objectives",
    epilog=examples(
        "shoal objectives                             how each objective stands, the worst first",
        "shoal objectives --service orders -o json",
    ),
)
@service_option("objectives")
@click.option("--run", "number", default=0, metavar="N", help="Of a recorded run  [default: the latest].")
@output_option
@click.pass_obj
def command(context: Global, service: str, number: int, output: str) -> int:
    """Show what services promise of their answers, and how much of the error budget is left.

    Exits with 1 when a budget is used up.
    """
    from shoal.dashboard.notices.budget import span
    from shoal.dashboard.notices.standing import objectives
    from shoal.dashboard.store import runs
    from shoal.dashboard.store.reading import database

    with database(runs.find(runs.folder_of(context.root), number)) as opened:
        found = [each for each in objectives(opened).items if service in ("", each.service)]
    if output == "json":
        print_json(found)
    elif found:
        heads = [f"BURN {span(burn.window)}" for burn in found[0].burns]
        rows = [
            (
                each.operation,
                each.promise,
                "-" if each.kept is None else f"{each.kept * 100:.6g} %",
                f"{each.good + each.bad:.0f}",
                f"{each.budget_left * 100:.0f} %",
                *(f"{burn.rate:.1f}{'!' if burn.sounding else ''}" for burn in each.burns),
            )
            for each in found
        ]
        print_table(("OPERATION", "PROMISE", "KEPT", "REQUESTS", "BUDGET LEFT", *heads), rows)
    else:
        say("nothing is promised, or nobody has told of it yet; declare objectives=[Objective(availability=0.999)]")
    return FOUND if any(each.budget_left <= 0 for each in found) else OK
