"""``shoal runs``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shoal.cli.output import examples, output_option, print_json, print_table, say, style
from shoal.cli.program import OK, Global
from shoal.cli.recorded import clock, recorded, size, took

if TYPE_CHECKING:
    from shoal.dashboard.store.diff import OperationChange, Side

_EXAMPLES = examples(
    "shoal runs list",
    "shoal runs diff 3 4                  what became slower, failed more often, or is new",
    "shoal runs export 4 slow.shoal       one file, for a colleague",
    "shoal runs import slow.shoal",
)


@click.group("runs", epilog=_EXAMPLES)
def command() -> None:
    """List, compare, hand on and take in what the last ten runs recorded.

    Each start of `shoal run` is a run, kept in one file under .shoal/telemetry; `shoal run --fresh` keeps them.
    """


@command.command("list", epilog=examples("shoal runs list", "shoal runs list -o json | jq '.items[0].number'"))
@output_option
@click.pass_obj
def list_(context: Global, output: str) -> int:
    """Show what is recorded, newest first."""
    from shoal.dashboard.store import runs

    found = runs.runs(runs.folder_of(context.root))
    if output == "json":
        print_json(found)
        return OK
    rows = [
        (
            *(str(one.number), one.system or "-", clock(one.started, "%Y-%m-%d %H:%M:%S")),
            style("live", sys.stdout, fg="green") if one.ended is None else took(one.ended - one.started),
            *(str(one.spans), str(one.logs), str(one.errors), size(one.size_bytes)),
        )
        for one in found.items
    ]
    print_table(("RUN", "SYSTEM", "STARTED", "LASTED", "SPANS", "LOGS", "FAILED TRACES", "SIZE"), rows)
    if not rows:
        say("nothing is recorded yet; start the system with `shoal run`")
    return OK


@command.command("diff", epilog=examples("shoal runs diff 3 4", "shoal runs diff 3 4 -o json"))
@click.argument("before", type=click.IntRange(1))
@click.argument("after", type=click.IntRange(1))
@output_option
@click.pass_obj
def diff_(context: Global, before: int, after: int, output: str) -> int:
    """Compare two runs, operation by operation."""
    from shoal.dashboard.store.diff import diff

    with recorded(context, before) as old, recorded(context, after) as new:
        found = diff(old, new)
    if output == "json":
        print_json(found)
        return OK
    rows = [_row(one) for one in found.operations]
    print_table(("", "SERVICE", "OPERATION", "KIND", "PER SECOND", "ERRORS", "P50", "P99"), rows)
    changed = [one for one in found.errors if one.before != one.after]
    if changed:
        click.echo()
        signs = {"new": style("+", sys.stdout, fg="red"), "gone": style("-", sys.stdout, fg="green"), "both": " "}
        rows = [(signs[one.change], one.service, one.error, f"{one.before} → {one.after}") for one in changed]
        print_table(("", "SERVICE", "ERROR", "COUNT"), rows)
    return OK


def _row(one: "OperationChange") -> tuple[str, ...]:
    sign = {"new": style("+", sys.stdout, fg="green"), "gone": style("-", sys.stdout, fg="red"), "both": " "}[
        one.change
    ]
    a, b = one.before, one.after
    return (
        *(sign, one.service, one.name, one.kind),
        f"{_rate(a)} → {_rate(b)}",
        f"{_share(a)} → {_share(b)}",
        f"{took(a.p50 if a else None)} → {took(b.p50 if b else None)}",
        _worse(f"{took(a.p99 if a else None)} → {took(b.p99 if b else None)}", a, b),
    )


def _worse(text: str, a: "Side | None", b: "Side | None") -> str:
    """Mark what became half as slow again, or faster by as much."""
    if a is None or b is None or not a.p99 or not b.p99:
        return text
    factor = b.p99 / a.p99
    colour = "red" if factor > 1.5 else "green" if factor < 1 / 1.5 else None
    return style(text, sys.stdout, fg=colour) if colour else text


def _rate(side: "Side | None") -> str:
    return f"{side.rate:.3g}" if side else "-"


def _share(side: "Side | None") -> str:
    return f"{side.errors * 100:.4g} %" if side else "-"


@command.command("export", epilog=examples("shoal runs export 4 slow.shoal"))
@click.argument("number", type=click.IntRange(1))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def export_(context: Global, number: int, file: Path) -> int:
    """Write a run as one compressed file.

    It holds what the services told: names, durations, logs and attributes, as masked as they were sent.
    """
    from shoal.dashboard.store import portable, runs

    say(f"writing run {number} …")
    count = portable.export(runs.find(runs.folder_of(context.root), number), file.absolute())
    say(f"{file}: {size(count)}; to be taken in with: shoal runs import {file.name}")
    return OK


@command.command("import", epilog=examples("shoal runs import slow.shoal"))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def import_(context: Global, file: Path) -> int:
    """Take in a run that was exported here or elsewhere; it is shown where its number is asked for."""
    from shoal.dashboard.store import portable, runs

    say(f"checking {file} …")
    number = portable.take(file.absolute(), runs.folder_of(context.root))
    click.echo(f"run {number}")
    return OK
