"""``shoal cost``: what a month of the system costs, from the resources that ``shoal deploy`` writes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shoal.cli import output
from shoal.cli.costing import clouds, refreshing, tables, usage
from shoal.cli.output import examples
from shoal.cli.program import OK, OVER, Global
from shoal.cli.recorded import run_option

if TYPE_CHECKING:
    from shoal.cost.bill import Bill
    from shoal.cost.changes import Changes
    from shoal.cost.comparison import Way

_EXAMPLES = examples(
    "shoal cost --target aws --region eu-central-1",
    "shoal cost --target targets/aws-production.toml --usage usage.toml --budget 1500",
    "shoal cost --usage run --requests 15000000",
    "shoal cost --compare",
    "shoal cost --compare -o html > comparison.html",
    "shoal cost -o json > before.json",
    "shoal cost --diff main",
    "shoal cost --diff origin/main -o markdown    what a pull request shows",
    "shoal cost refresh --target azure --region westeurope",
)

_DEAREST = 3
"""Operations that are named with what they cost; all are in the other forms."""


@click.group("cost", invoke_without_command=True, epilog=_EXAMPLES)
@click.option("--target", "targets", multiple=True, help="aws, azure, gcp, or settings of an environment (TOML) [aws].")
@click.option("--region", "regions", multiple=True, help="Region whose prices are meant [default: the environment's].")
@click.option("--usage", default="", help="How much the system is used (TOML), or `run`: as a run measured it.")
@run_option
@click.option("--requests", type=click.IntRange(1, 10**12), help="Requests of a month, whatever is measured.")
@click.option("--prices", "prices_file", type=click.Path(path_type=Path), help="Prices of your own (TOML).")
@click.option("--budget", type=click.IntRange(min=1), help="Fail (exit code 4) when more is expected a month.")
@click.option("--diff", "before", default="", help="Compare with a revision of git, or an earlier estimate (JSON).")
@click.option("--compare", is_flag=True, help="Show clouds, and Kubernetes against serverless, side by side.")
@click.option(
    "-o", "--output", "form", type=click.Choice(["table", "json", "markdown", "html"]), default="table",
    help="Form of the output.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The same as -o json.")
@click.pass_context
def command(ctx: click.Context, /, form: str, compare: bool, **wish: Any) -> int:
    """Estimate what a month costs: low, expected and high, by service and component.

    The items are the resources that `shoal deploy aws`, `azure` or `gcp` write. What has no known price is said, and is
    in no sum. Tables in the folder prices/ of the project go before those that are packaged.
    """
    if ctx.invoked_subcommand is not None:
        if wish["targets"] or wish["regions"]:
            raise click.UsageError(f"write what is meant behind it: shoal cost {ctx.invoked_subcommand} --target ...")
        return OK
    context: Global = ctx.obj
    form = "json" if wish["as_json"] else form
    used = usage.used(context, wish["usage"], wish["run"], wish["requests"])
    if compare:
        return _compare(context, form, used, wish)
    if len(wish["targets"]) > 1 or len(wish["regions"]) > 1:
        raise click.UsageError("a bill is of one --target in one --region; several are compared: --compare")
    return _bill(context, form, used, wish)


@command.command(
    "refresh",
    epilog=examples(
        "shoal cost refresh --target azure --region westeurope",
        "shoal cost refresh --target aws --region eu-central-1 -o json",
        "GOOGLE_API_KEY=... shoal cost refresh --target gcp --region europe-west3",
    ),
)
@click.option("--target", default="aws", show_default=True, help="aws, azure, gcp, or settings of an environment.")
@click.option("--region", default="", help="Region whose prices are asked for [default: the environment's].")
@click.option(
    "--from", "address", default="", metavar="URL", help="Where the list is asked [default: the cloud's own]."
)
@output.output_option
@click.pass_obj
def refresh(context: Global, /, target: str, region: str, address: str, output: str) -> int:
    """Ask a cloud's public price list, and write a dated table into the folder prices/ of the project.

    No bill needs it: what the list does not tell stays as it is. AWS and Azure ask for no key; Google Cloud's is taken
    from GOOGLE_API_KEY.
    """
    return _refresh(context, target, region, address, output)


def _refresh(context: Global, target: str, region: str, address: str, form: str) -> int:
    from datetime import UTC, datetime

    from shoal.cost.prices import packaged

    cloud, environment = clouds.place(context.root, target, region)
    name, where = cloud.name, environment.region
    before = tables.own(context.root, name, where) or packaged(name, where)
    today = datetime.now(UTC).date().isoformat()
    told, found = refreshing.refresh(context.root, name, where, address=address, today=today)
    file = tables.place(name, where).as_posix()
    if form == "json":
        output.print_json(refreshing.document(file, told, found, before))
    else:
        output.print_table(refreshing.HEADERS, refreshing.rows(found, before))
    for note in refreshing.notes(file, told, found):
        output.say(note)
    return OK


def _bill(context: Global, form: str, used: usage.Used, wish: Mapping[str, Any]) -> int:
    from shoal.cli.costing.earlier import changed_since
    from shoal.cost.bill import bill
    from shoal.cost.month import Month
    from shoal.operating import project

    target = next(iter(wish["targets"]), "aws")
    cloud, environment = clouds.place(context.root, target, *wish["regions"])
    plan = cloud.plan(project.read(context), environment)
    clouds.require_services(plan, environment)
    month = Month(plan, used.fitting(plan))
    table = tables.prices(context.root, wish["prices_file"], cloud.name, environment.region)
    told = [] if wish["prices_file"] is not None else tables.whose(context.root, cloud.name, environment.region)
    found = bill(cloud, cloud.resources(plan, environment), month, table, [*told, *used.told()])
    changed = changed_since(context, found.estimate, month.usage, wish) if wish["before"] else None
    _show(form, found, changed)
    expected, budget = found.estimate.total.expected, wish["budget"]
    if budget is not None and expected > budget:
        output.say(f"expected are {expected:,}, which is more than the budget of {budget:,}")
        return OVER
    if budget is not None and found.estimate.unknown:
        output.say(f"the budget of {budget:,} holds as far as prices are known: what has none is in no sum")
    return OK


def _show(form: str, found: "Bill", changed: "Changes | None") -> None:
    import msgspec

    from shoal.cost import changes, render

    if form == "html":
        more = () if changed is None else tuple(changes.told(changed))
        click.echo(render.html(msgspec.structs.replace(found, told=(*found.told, *more))), nl=False)
    elif form == "markdown":
        page = render.markdown(found)
        click.echo(page if changed is None else changes.markdown(changed, page), nl=False)
    elif form == "json":
        compared = {} if changed is None else {"changes": changes.document(changed)}
        click.echo(json.dumps({**render.document(found), **compared}, indent=2))
    else:
        output.print_table(render.HEADERS, render.rows(found.estimate))
        _said(found, changed)


def _said(found: "Bill", changed: "Changes | None") -> None:
    from shoal.cost import changes, render

    dearest = [*found.operations.items()][:_DEAREST]
    more = len(found.operations) - len(dearest)
    for said in (
        *render.notes(found.estimate, found.requests),
        *(f"a thousand more of {name} cost {render.small(cost)}" for name, cost in dearest),
        *([f"these are the dearest of {len(found.operations)} operations; -o json has all"] * (more > 0)),
        *render.advice(found.tips),
        *found.told,
        *(changes.told(changed) if changed is not None else ()),
    ):
        output.say(said)


def _compare(context: Global, form: str, used: usage.Used, wish: Mapping[str, Any]) -> int:
    """Price every cloud that is known, or those that are asked for, in each of its ways."""
    from shoal.cost import side_by_side

    clouds.require_known(context.root, wish["regions"])
    if wish["before"] or wish["prices_file"] is not None or wish["budget"] is not None:
        raise click.UsageError("--compare goes without --diff, --prices and --budget, which are about one target")
    found = _ways(context, used, wish)
    told = [*used.told()]
    if form == "markdown":
        click.echo(side_by_side.markdown(found, told), nl=False)
    elif form == "html":
        click.echo(side_by_side.html(found, told), nl=False)
    elif form == "json":
        click.echo(json.dumps(side_by_side.document(found, told), indent=2))
    else:
        output.print_table(side_by_side.HEADERS, side_by_side.rows(found))
        for note in [*side_by_side.notes(found), *told]:
            output.say(note)
    return OK


def _ways(context: Global, used: usage.Used, wish: Mapping[str, Any]) -> "list[Way]":
    from shoal.cost.clouds import CLOUDS
    from shoal.cost.comparison import alike, ways
    from shoal.operating import project

    system, found = project.read(context), list["Way"]()
    for target in wish["targets"] or CLOUDS:
        cloud, environment = clouds.known(context.root, *clouds.place(context.root, target), wish["regions"])
        table = tables.prices(context.root, None, cloud.name, environment.region)
        plan = cloud.plan(system, environment)
        clouds.require_services(plan, environment)
        found += ways(cloud, environment, system, used.fitting(plan), table, alike(environment))
    return found
