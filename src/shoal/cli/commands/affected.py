"""``shoal affected``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from shoal.cli.output import examples, output_option, print_json, print_table, say
from shoal.cli.program import OK, Global
from shoal.errors import DeclarationError

if TYPE_CHECKING:
    from shoal.deploy.affected.answer import Answer, Reason

SHOWN = 3
"""Reasons that are shown of each service."""

_EXAMPLES = examples(
    "shoal affected --since HEAD~1",
    "shoal affected --since $(git merge-base origin/main HEAD)       what this branch concerns",
    "shoal affected --since v1.4.0 -o json | jq -c .build            images to be built, for a pipeline",
)


@click.command("affected", epilog=_EXAMPLES)
@click.option("--since", required=True, metavar="REV", help="Revision to compare the working copy with.")
@click.option("--contracts", default="contracts", show_default=True, help="Folder in which contracts are kept.")
@output_option
@click.pass_obj
def command(context: Global, since: str, contracts: str, output: str) -> int:
    """Tell which services a change concerns: which to test, to build, to deploy, and why.

    A service is affected by its own files, by modules of the project that it imports (as far as imports can be read),
    by contracts of others on which it relies, and by its manifests. A file of which nobody knows whom it concerns
    concerns everybody, and is named. A revision of zeros alone, as pipelines have it for a new branch, affects
    everything. Files for nobody are named in pyproject.toml: [tool.shoal] unaffected = ["bench/*"].
    """
    from shoal.cli import history
    from shoal.deploy.affected.verdict import affected
    from shoal.operating import project

    system = project.read(context)
    module = project.entry(context).partition(":")[0]
    change = history.changes(context.root, since, contracts=contracts, system=module, unaffected=_unaffected(context))
    found = affected(system, change)
    if output == "json":
        print_json(found)
    else:
        _show(found, len(system.services), whole=context.verbosity > 0)
        if context.verbosity >= 0:
            _sum_up(found, len(change.paths), len(system.services))
    return OK


def _unaffected(context: Global) -> tuple[str, ...]:
    from shoal.operating import settings

    found = settings.table(context.root).get("unaffected", [])
    if not isinstance(found, list) or not all(isinstance(pattern, str) for pattern in found):
        raise DeclarationError(
            f"unaffected = {found!r} is no list of patterns",
            where="pyproject.toml",
            hint='[tool.shoal] unaffected = ["bench/*"]',
        )
    return tuple(found)


def _show(found: "Answer", services: int, *, whole: bool) -> None:
    """Print the services with their reasons; what concerns every service is told once."""
    common = _common(found) if len(found.services) == services > 1 else []
    rows = _rows("every service", common[0].needs, [reason.told for reason in common], whole=whole) if common else []
    for one in found.services:
        told = [reason.told for reason in one.reasons if reason not in common]
        rows += _rows(one.service, one.needs, told or ["is one of them"], whole=whole)
    if rows:
        print_table(("SERVICE", "TO DO", "BECAUSE IT"), rows)


def _common(found: "Answer") -> "list[Reason]":
    first, *others = found.services
    return [reason for reason in first.reasons if all(reason in other.reasons for other in others)]


def _rows(name: str, needs: Sequence[str], told: list[str], *, whole: bool) -> list[tuple[str, str, str]]:
    shown = told if whole else told[:SHOWN]
    more = [f"and for {len(told) - len(shown)} reasons more: shoal -v affected"] if len(shown) < len(told) else []
    first, *rest = [*shown, *more]
    return [(name, " ".join(needs), first), *(("", "", line) for line in rest)]


def _sum_up(found: "Answer", changed: int, services: int) -> None:
    files = f"{changed} changed file{'s' * (changed != 1)}"
    if not found.services:
        say(f"{files} concern{'s' * (changed == 1)} no service" if changed else "nothing has changed")
        return
    say(
        f"{files}: of {services} services {len(found.test)} to test, {len(found.build)} to build, "
        f"{len(found.deploy)} to deploy"
    )
