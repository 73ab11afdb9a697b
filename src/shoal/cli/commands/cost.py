"""``shoal cost``: what a month of the system costs, from the resources that ``shoal deploy`` writes."""

import json
import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shoal.cli import output
from shoal.cli.output import examples
from shoal.cli.program import OK, OVER, Global
from shoal.errors import DeclarationError

if TYPE_CHECKING:
    from shoal.cost.cloud import Cloud, R
    from shoal.cost.estimate import Estimate
    from shoal.cost.month import Month
    from shoal.cost.prices import Table
    from shoal.cost.usage import Usage

_EXAMPLES = examples(
    "shoal cost --target aws --region us-east-1",
    "shoal cost --target targets/aws-production.toml --usage usage.toml --budget 1500",
    "shoal cost --region us-east-1 -o json > before.json",
    "shoal cost --region us-east-1 --diff main",
    "shoal cost --region us-east-1 --diff before.json",
    "shoal cost --region us-east-1 -o html > cost.html",
)

_DEAREST = 3
"""Operations that are named with what they cost; all are in the JSON."""


@click.command("cost", epilog=_EXAMPLES)
@click.option("--target", default="aws", help="aws, or settings of one environment on it (TOML) [default: aws].")
@click.option("--region", default="", help="Region whose prices are meant [default: the environment's].")
@click.option("--usage", "usage_file", type=click.Path(path_type=Path), help="How much the system is used (TOML).")
@click.option("--prices", "prices_file", type=click.Path(path_type=Path), help="Prices of your own (TOML).")
@click.option("--budget", type=click.IntRange(min=1), help="Fail (exit code 4) when more is expected a month.")
@click.option("--diff", "before", default="", help="Compare with a revision of git, or an earlier estimate (JSON).")
@click.option(
    "-o", "form", type=click.Choice(["table", "json", "markdown", "html"]), default="table", help="Form of the output."
)
@click.pass_obj
def command(
    context: Global, target: str, region: str, usage_file: Path | None, prices_file: Path | None, budget: int | None,
    before: str, form: str,
) -> int:  # fmt: skip
    """Estimate what a month costs: low, expected and high, by service and component.

    The items are the resources that `shoal deploy aws` writes. What has no known price is said, and is in no sum.
    """
    from shoal.cost.estimate import priced
    from shoal.cost.month import Month
    from shoal.operating import project

    cloud, environment = _place(context.root, target, region)
    plan = cloud.plan(project.read(context), environment)
    month = Month(plan, _usage(context.root, usage_file))
    table = _prices(context.root, prices_file, cloud.name, environment.region)
    everything = cloud.resources(plan, environment)
    found = priced(cloud.items(everything, month), table)
    same = _same(
        context.root, {"--target": target, "--region": region}, {"--usage": usage_file, "--prices": prices_file}
    )
    earlier = _earlier(context, before, same) if before else None
    _show(form, found, month, cloud, everything)
    if earlier is not None:
        _compare(earlier, found)
    if budget is not None and found.total.expected > budget:
        output.say(f"expected are {found.total.expected:,}, which is more than the budget of {budget:,}")
        return OVER
    return OK


def _show(form: str, found: "Estimate", month: "Month", cloud: "Cloud[Any, R]", resources: "tuple[R, ...]") -> None:
    from shoal.cost import endpoints, render, tips
    from shoal.cost.estimate import of_one_more

    if form == "markdown":
        click.echo(render.markdown(found, month.requests), nl=False)
    elif form == "html":
        click.echo(render.html(found, month.requests), nl=False)
    else:
        known = of_one_more(found, month.requests) is not None
        each = endpoints.per_thousand(cloud, resources, month, found.table) if known else {}
        advice = tips.tips(cloud, resources, month, found.table)
        if form == "json":
            told = [{"advice": tip.advice, "saves": str(tip.saves), "but": tip.but} for tip in advice]
            operations = {name: str(render.small(cost)) for name, cost in each.items()}
            data = {**render.document(found, month.requests), "endpoints": operations, "tips": told}
            click.echo(json.dumps(data, indent=2))
            return
        output.print_table(render.HEADERS, render.rows(found))
        for note in render.notes(found, month.requests):
            output.say(note)
        for name, cost in [*each.items()][:_DEAREST]:
            output.say(f"a thousand more of {name} cost {render.small(cost)}")
        for tip in advice:
            output.say(f"could save {tip.saves:,}: {tip.advice}; but {tip.but}")


def _place(root: Path, target: str, region: str) -> "tuple[Cloud[Any, Any], Any]":
    """Find the cloud that is meant, and the environment on it."""
    import msgspec

    from shoal.cost.clouds import CLOUDS

    if target in CLOUDS:
        cloud = CLOUDS[target]
        environment = cloud.environments[-1]
    elif Path(target).suffix:
        cloud, environment = _written(root, Path(target))
    else:
        known = ", ".join(CLOUDS)
        raise DeclarationError(
            f"what {target} costs is not known", hint=f"ask for one of {known}, or name a file of settings"
        )
    if not region:
        return cloud, environment
    try:
        return cloud, msgspec.structs.replace(environment, region=region)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--region") from error


def _written(root: Path, file: Path) -> "tuple[Cloud[Any, Any], Any]":
    """Read settings of an environment: of the first cloud whose settings they are."""
    from shoal.cost.clouds import CLOUDS

    text = _text(root, file, "targets/aws-production.toml")
    problems = []
    for cloud in CLOUDS.values():
        try:
            return cloud, cloud.read(text, where=str(file))
        except DeclarationError as error:
            problems.append(error)
    raise problems[0]


def _usage(root: Path, file: Path | None) -> "Usage":
    from shoal.cost.usage import Usage, read

    return Usage() if file is None else read(_text(root, file, "usage.toml"), where=str(file))


def _prices(root: Path, file: Path | None, provider: str, region: str) -> "Table":
    from shoal.cost.prices import packaged, read

    return packaged(provider, region) if file is None else read(_text(root, file, "prices.toml"), where=str(file))


def _same(root: Path, said: Mapping[str, str], files: Mapping[str, Path | None]) -> list[str]:
    """Say the options again for a process in another folder: prices and usage are those of here."""
    found = [word for name, value in said.items() if value for word in (name, value)]
    return found + [
        word for name, file in files.items() if file is not None for word in (name, str((root / file).resolve()))
    ]


def _earlier(context: Global, before: str, same: list[str]) -> Mapping[str, Any]:
    """Read an earlier estimate, or make that of a revision: what its code declares, used as is assumed."""
    written = context.root / before
    text = _text(context.root, Path(before), "before.json") if written.exists() else _of(context, before, same)
    try:
        found = json.loads(text)
        Decimal(found["total"]["expected"])
        return dict(found)
    except (ValueError, ArithmeticError, KeyError, TypeError) as error:
        raise DeclarationError(
            f"{before} is no earlier estimate", hint="write one: shoal cost -o json > before.json"
        ) from error


def _of(context: Global, revision: str, same: list[str]) -> str:
    """Estimate what a revision costs, used alike, in a process of its own, since its modules have the names of ours."""
    from shoal.cli.checkout import checkout
    from shoal.local.layout import layout_of

    place = checkout(context.root, revision, layout_of(context.root).home)
    system = ["--system", context.system] if context.system else []
    words = ["cost", *same, "-o", "json"]
    ended = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "shoal.cli", "-C", str(place), *system, *words],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        said = ended.stderr.strip().splitlines()[-1:] or ["it ended without a word"]
        raise DeclarationError(
            f"{revision} has no estimate: {said[0]}", hint="compare with a file: -o json > before.json"
        )
    return ended.stdout


def _text(root: Path, file: Path, example: str) -> str:
    try:
        return (file if file.is_absolute() else root / file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = error.strerror if isinstance(error, OSError) else "it is no text"
        raise DeclarationError(f"cannot read {file}: {problem}", hint=f"name a file such as {example}") from error


def _compare(earlier: Mapping[str, Any], found: "Estimate") -> None:
    """Say what changed, by service, to standard error."""
    from shoal.cost.estimate import added
    from shoal.cost.render import SHARED

    known = earlier.get("services", {})
    now = {service or SHARED: added(found.of(service)).expected for service in found.services}
    for name in sorted({*known, *now}):
        before = Decimal(known.get(name, {}).get("total", {}).get("expected", "0"))
        after = now.get(name, Decimal(0))
        if before != after:
            output.say(f"{name}: {before:,} before, {after:,} now ({after - before:+,})")
    before = Decimal(earlier["total"]["expected"])
    output.say(f"total: {before:,} before, {found.total.expected:,} now ({found.total.expected - before:+,})")
