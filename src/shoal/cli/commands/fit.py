"""``shoal fit``: whether the system is better off as services, with numbers."""

from typing import TYPE_CHECKING, Any

import click
import msgspec

from shoal.cli import output
from shoal.cli.output import examples
from shoal.cli.program import OK, Global
from shoal.cli.recorded import run_option

if TYPE_CHECKING:
    from shoal.check.fit.advice import Advice

_EXAMPLES = examples(
    "shoal fit",
    "shoal fit --team 8 --since 1y",
    "shoal fit --target aws --region eu-central-1     with what it would cost",
    "shoal fit --run 14 -o markdown > fit.md",
    "shoal fit -o json | jq '.merges[] | select(.verdict == \"merge\")'",
)


@click.command("fit", epilog=_EXAMPLES)
@click.option("--team", type=click.IntRange(1, 100_000), help="People who work on it [default: authors in git].")
@click.option(
    "--since", default="6mo", show_default=True, metavar="SPAN", help="History to look at: 90d, 26w, 6mo, 1y."
)
@run_option
@click.option("--target", default="", help="aws, azure, gcp, or settings of an environment (TOML), for what it costs.")
@click.option("--region", default="", help="Region whose prices are meant [default: the environment's].")
@click.option(
    "-o", "form", type=click.Choice(["table", "json", "markdown"]), default="table", help="Form of the output."
)
@click.pass_obj
def command(context: Global, /, form: str, **wish: Any) -> int:
    """Tell whether the system is better off as services: stay one process, merge two, split one, with the evidence.

    Evidence is what is declared, who changes what in git, what a recorded run has seen, and what a month costs. What
    is not known is said, and nothing is concluded from it. Every pair is listed by shoal -v fit. Advice is no failure:
    the exit code is 0.
    """
    from shoal.check.fit import shown

    advice = _asked(context, wish)
    if form == "json":
        output.print_json(advice)
    elif form == "markdown":
        click.echo(output.harmless(shown.markdown(advice)), nl=False)
    else:
        every = context.verbosity > 0
        for line in shown.verdicts(advice, every=every):
            click.echo(output.harmless(line))
        click.echo()
        output.print_table(shown.HEADERS, shown.rows(advice, every=every))
        for line in advice.told if context.verbosity >= 0 else ():
            output.say(output.harmless(line))
    return OK


def _asked(context: Global, wish: dict[str, Any]) -> "Advice":
    """Bring the evidence together, and judge it."""
    from shoal.check.fit.declared import gathered
    from shoal.check.fit.judging import advise
    from shoal.cli import fitting
    from shoal.cli.checking.project import gather
    from shoal.operating import project

    fitting.span(wish["since"])
    subject = gather(context, project.read(context))
    history, why = fitting.known(context.root, wish["since"])
    evidence = gathered(
        subject,
        fitting.homes(subject),
        team=wish["team"],
        history=history,
        run=fitting.run(context, wish["run"]),
        money=fitting.money(context, subject, wish["target"], wish["region"]),
    )
    advice = advise(evidence)
    return msgspec.structs.replace(advice, told=(*advice.told, f"git: {why}")) if why else advice
