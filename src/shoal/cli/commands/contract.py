"""``shoal contract``: keep contracts in files, and refuse what breaks their consumers."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from shoal import model
from shoal.cli import output
from shoal.cli.output import examples, style
from shoal.cli.program import FOUND, OK, Global
from shoal.errors import ContractError
from shoal.model.artifact import Artifact
from shoal.model.change import Change

ACCEPTED = "breaking.md"
"""Keeps the reasons of breaking changes that were locked all the same."""

_EXAMPLES = examples(
    "shoal contract diff",
    "shoal contract lock",
    'shoal contract lock --breaking "nobody has used coupons since March"',
    "shoal contract diff --locked -o json",
)

_folder = click.option("--folder", default="contracts", show_default=True, help="Where the files are.")


@click.group("contract", epilog=_EXAMPLES)
def command() -> None:
    """Keep the contracts of events and operations in files, and refuse what breaks their consumers.

    Each version of each event has a JSON Schema, each service an OpenAPI document. They belong into version control.
    """


@command.command("diff", epilog=examples("shoal contract diff", "shoal contract diff --locked --json"))
@_folder
@click.option("--locked", is_flag=True, help="Fail also where the files are only out of date.")
@output.output_option
@click.pass_obj
def diff(context: Global, folder: str, locked: bool, output: str) -> int:
    """Compare the declared system with the files; breaking changes are found (exit code 1)."""
    system, changes, _ = _compared(context, folder)
    if output == "json":
        _json(changes)
    else:
        _show(changes, quiet=context.verbosity < 0)
    breaking = [change for change in changes if change.breaking]
    if not breaking and locked and (stale := _stale(context, folder, system)):
        more = f" and {len(stale) - 1} others" if len(stale) > 1 else ""
        raise ContractError(f"out of date: {stale[0]}{more}", hint="shoal contract lock, and commit what it writes")
    return FOUND if breaking else OK


@command.command(
    "lock", epilog=examples("shoal contract lock", 'shoal contract lock --breaking "nobody has used coupons"')
)
@_folder
@click.option("--breaking", metavar="REASON", help="Lock breaking changes too; the reason is kept.")
@click.pass_obj
def lock(context: Global, folder: str, breaking: str | None) -> int:
    """Write the declared contracts into the files; a breaking change is refused.

    A changed event stays compatible as a new version: declare @event(..., version=2) beside or instead of the old one.
    """
    from shoal import files

    if breaking is not None and not breaking.strip():
        raise click.BadParameter("say why, in a few words: the reason is kept", param_hint="--breaking")
    reason = (breaking or "").strip()
    system, changes, texts = _compared(context, folder)
    broken = [change for change in changes if change.breaking]
    if broken and not reason:
        _show(broken)
        raise ContractError(
            f"not locked, because {len(broken)} of the changes {'is' if len(broken) == 1 else 'are'} breaking",
            hint='declare a new version, @event(..., version=2), or say why: shoal contract lock --breaking "REASON"',
        )
    root = context.root / folder
    entries = files.write_all(root, _wanted(system, texts, broken, reason))
    for entry in entries:
        if entry.change != "same":
            click.echo(f"{entry.change:<8} {folder}/{entry.path}")
    if context.verbosity >= 0:
        output.say(f"{len(entries)} contracts, {sum(e.change != 'same' for e in entries)} files changed")
    return OK


def _compared(context: Global, folder: str) -> tuple[model.System, tuple[Change, ...], dict[str, str]]:
    from shoal.model import contracts
    from shoal.model.evolution import evolve
    from shoal.operating import project

    system = project.read(context)
    texts = _texts(context.root / folder)
    return system, evolve(contracts.read(texts), system), texts


def _texts(root: Path) -> dict[str, str]:
    """Read the files of contracts by their paths."""
    found = [*root.glob("*/http.json"), *root.glob("*/events/*.json"), *root.glob(ACCEPTED)]
    return {path.relative_to(root).as_posix(): path.read_text("utf-8", errors="replace") for path in sorted(found)}


def _wanted(system: model.System, texts: dict[str, str], broken: Sequence[Change], reason: str) -> list[Artifact]:
    """Collect everything that the folder is to hold."""
    from shoal.model import contracts

    wanted = [*contracts.artifacts(system), *contracts.kept(system, texts)]
    told = texts.get(ACCEPTED, "")
    if broken:
        head = told or "# Breaking changes that were locked, and why\n"
        lines = "".join(f"- {_line(change)}\n" for change in broken)
        told = f"{head}\n## {' '.join(reason.split())}\n\n{lines}"
    return [*wanted, Artifact(path=ACCEPTED, text=told)] if told else wanted


def _stale(context: Global, folder: str, system: model.System) -> list[str]:
    """List the files that `lock` would write."""
    from shoal import files

    root = context.root / folder
    entries = files.diff(root, _wanted(system, _texts(root), (), ""))
    return [f"{folder}/{entry.path}" for entry in entries if entry.change != "same"]


def _show(changes: Sequence[Change], *, quiet: bool = False) -> None:
    """Print changes by contract; when asked to be quiet, only what breaks."""
    told = [change for change in changes if change.breaking or not quiet]
    for position, change in enumerate(told):
        if position == 0 or told[position - 1].contract != change.contract:
            click.echo(f"{change.service}: {change.contract}")
        mark = style("breaks", sys.stdout, fg="red", bold=True) if change.breaking else "ok    "
        if change.breaks and not change.breaking:
            mark = style("warns ", sys.stdout, fg="yellow", bold=True)
        click.echo(
            f"  {mark}  {_told(change)}  {style(change.where, sys.stdout, fg='bright_black')}".rstrip(), color=True
        )
        if change.breaking or change.breaks:
            click.echo(f"          for {', '.join(change.breaks) or 'nobody in this system; others may read it'}")
    if quiet:
        return
    broken = sum(change.breaking for change in changes)
    counted = f"{len(changes)} change{'s' * (len(changes) != 1)}, {broken} breaking"
    output.say(counted if changes else "nothing has changed")


def _told(change: Change) -> str:
    values = f" ({change.old or 'nothing'} → {change.new or 'nothing'})" if change.old or change.new else ""
    return f"{change.path + ': ' if change.path else ''}{change.message}{values}"


def _line(change: Change) -> str:
    return f"{change.service}: {change.contract}: {_told(change)}"


def _json(changes: Sequence[Change]) -> None:
    output.print_json(changes)
