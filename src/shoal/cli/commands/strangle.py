"""``shoal strangle status|set``."""

from typing import TYPE_CHECKING, Any

import click
import msgspec

from shoal.cli.acting import acts
from shoal.cli.output import examples, output_option, print_json, print_table, say
from shoal.cli.program import FOUND, OK, Global

if TYPE_CHECKING:
    from shoal.local.strangling import RouteState

_EXAMPLES = examples(
    "shoal strangle status                      where each path stands, and how alike the answers are",
    "shoal strangle set coupon shadow           ask both, compare, and answer with the old one",
    "shoal strangle set coupon shift --weight 10 let the service answer 10 %",
    "shoal strangle set coupon done             let the service answer everything",
    "shoal strangle set coupon legacy           back to the old application",
)


@click.group("strangle", epilog=_EXAMPLES)
def command() -> None:
    """Take over the paths of an old application one by one, without a pause for anybody.

    A path goes from `record` over `shadow` and `shift` to `done`, and back whenever that is needed.
    """


@command.command(
    "status", epilog=examples("shoal strangle status", "shoal strangle status coupon", "shoal strangle status --json")
)
@click.argument("route", default="")
@output_option
@click.pass_obj
def status(context: Global, route: str, output: str) -> int:
    """Show where each route stands, and how alike the answers are; exits with 1 when some differed."""
    from shoal.local.strangling import RouteState

    told = _ask(context, "status")
    found = [
        one for one in msgspec.convert(told, list[RouteState]) if route in ("", one.route, f"{one.method} {one.path}")
    ]
    if output == "json":
        print_json(found)
    elif found:
        _show(found)
    else:
        say("no old application is declared: System(..., gateway=Gateway(legacy=(Legacy(...),)))")
    return FOUND if any(one.parity.differing for one in found) else OK


@command.command(
    "set",
    epilog=examples(
        "shoal strangle set coupon shadow --sample 10",
        "shoal strangle set 'GET /coupons/{code}' shift --weight 50",
        "shoal strangle set coupon done",
    ),
)
@click.argument("route")
@click.argument("state", type=click.Choice(["legacy", "record", "shadow", "shift", "done"]))
@click.option("--weight", default=0.0, type=click.FloatRange(0, 100), help="Percent that the service answers (shift).")
@click.option("--sample", default=0.0, type=click.FloatRange(0, 100), help="Percent that is compared (shadow).")
@click.pass_obj
@acts("turn path", "route", "state", "weight", "sample")
def set_(context: Global, route: str, state: str, weight: float, sample: float) -> int:
    """Move ROUTE on to STATE, or back; it holds from then on, also for later runs (`legacy` means `record`)."""
    told = _ask(context, "set", route=route, state=state, weight=weight, sample=sample)
    share = f", {told['weight']:g} % of it by {told['service']}" if told["state"] == "shift" else ""
    say(f"{told['method']} {told['path']}: {told['state']}{share}; shoal strangle status {told['route']}")
    parity = told["parity"]
    if told["state"] in ("shift", "done") and parity["differing"]:
        say(f"warning: {parity['differing']} of {parity['compared']} answers that were compared differed")
    return OK


def _ask(context: Global, do: str, **values: object) -> Any:
    from shoal.operating.running import ask

    return ask(context.root, f"strangle.{do}", **values)


def _show(found: "list[RouteState]") -> None:
    rows = [
        (
            one.route,
            f"{one.method} {one.path}",
            one.application,
            one.service or "-",
            f"shift {one.weight:g} %" if one.state == "shift" else one.state,
            str(one.requests),
            str(one.parity.compared),
            str(one.parity.differing),
        )
        for one in found
    ]
    headers = ("ROUTE", "PATH", "LEGACY", "TAKEN OVER BY", "STATE", "REQUESTS", "COMPARED", "DIFFERING")
    print_table(headers, rows)
    for one in found:
        for example in one.parity.examples:
            click.echo(f"{one.route}  {example.at}  {example.request}")
            for d in example.differences:
                click.echo(f"  {d.place}: legacy {d.legacy or '-'} · new {d.new or '-'}")
