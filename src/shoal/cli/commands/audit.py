"""``shoal audit``."""

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from shoal.cli.output import examples, output_option, print_json, print_table, say, style
from shoal.cli.program import FOUND, OK, Global

if TYPE_CHECKING:
    from shoal.audit import Outcome, Report, Subject

_EXAMPLES = examples(
    "shoal audit                      what is here, as it is now",
    "shoal audit --wait 30            after up to 30 s for everything in flight to arrive",
    "shoal audit --json               for programs; the exit code says whether all promises hold",
    "shoal audit --expect-dead FILE   with these dead letters, one per line: SERVICE MESSAGE-ID",
)

_COLOURS = {"held": "green", "violated": "red", "unchecked": "yellow"}

_QUIET_SECONDS = 1.0
"""An audit that takes no longer says nothing of its progress."""


class _Given(NamedTuple):
    wait: float
    expect_dead: Path | None
    operations: Path | None


@click.command("audit", epilog=_EXAMPLES)
@click.option("--wait", default=0.0, metavar="SECONDS", help="Wait up to so long for what is in flight.")
@click.option("--expect-dead", type=click.Path(path_type=Path), help="The dead letters that there should be.")
@click.option("--operations", type=click.Path(path_type=Path), help="What clients did: one JSON object per line.")
@output_option
@click.pass_obj
def command(context: Global, /, wait: float, expect_dead: Path | None, operations: Path | None, output: str) -> int:
    """Check that nothing was lost and nothing happened twice.

    Compares what services committed, what the broker holds, what was handled and what lies outside, and counts. A
    system that does not run is audited too: its engines are started for it, without any service. Exit code 1 says that
    a promise is violated; the violations are named.
    """
    report = asyncio.run(_audit(context, _Given(wait, expect_dead, operations)))
    if output == "json":
        print_json(report)
    else:
        _show(report)
    return OK if report.held else FOUND


async def _audit(context: Global, given: _Given) -> "Report":
    from shoal.audit import check
    from shoal.audit.standing import opened, site_of
    from shoal.local.alone import engines_alone
    from shoal.local.state import read_state
    from shoal.model.choice import choose
    from shoal.model.plan import plan
    from shoal.model.target import LOCAL
    from shoal.operating import project
    from shoal.operating.running import alive
    from shoal.service.describe import describe

    declared = project.declared(context)
    state = read_state(context.root)
    system = describe(declared)
    target = choose(LOCAL, system, state.engines if state is not None else ())
    decided = plan(system, target).require()
    site = site_of(decided, context.root)
    if state is not None and alive(state):
        async with opened(declared, site, state.urls) as subject:
            return await check(_expecting(subject, context, given), wait=given.wait)
    _require_kept(target.broker)
    if context.verbosity >= 0:
        say("nothing runs here: engines are started for the audit, and stopped after it")
    async with engines_alone(decided, context.root) as (alone, urls), opened(declared, alone, urls) as subject:
        return await check(_expecting(subject, context, given))


def _require_kept(broker: str) -> None:
    from shoal.errors import HostError
    from shoal.model import catalog

    if "durable" in catalog.engine(broker).lacking_here:
        raise HostError(
            f"nothing runs here, and the server of {broker} on this machine keeps nothing that could be audited",
            hint="start the system again, and audit it while it runs",
        )


def _expecting(subject: "Subject", context: Global, given: _Given) -> "Subject":
    from shoal.audit import expectations

    return replace(
        subject,
        expected=expectations.dead_letters(given.expect_dead) if given.expect_dead else frozenset(),
        operations=expectations.operations(given.operations) if given.operations else (),
        progress=_progress() if context.verbosity > 0 or _watched(context) else subject.progress,
    )


def _watched(context: Global) -> bool:
    """Tell whether somebody looks on; a file would only gather what has passed."""
    return context.verbosity == 0 and sys.stderr.isatty()


def _progress() -> Callable[[str], None]:
    """Say what is being read, at most once a second."""
    said = time.monotonic()

    def progress(text: str) -> None:
        nonlocal said
        if time.monotonic() - said >= _QUIET_SECONDS:
            said = time.monotonic()
            say(f"  {text}")

    return progress


def _show(report: "Report") -> None:
    print_table(("", "PROMISE", "STATE", "COUNTS"), [_row(outcome) for outcome in report.outcomes])
    if report.in_flight:
        say(f"still in flight: {report.in_flight}")
    for outcome in report.outcomes:
        for text in outcome.violations:
            click.echo(f"{outcome.code}: {text}")
        if outcome.violated > len(outcome.violations):
            click.echo(f"{outcome.code}: and {outcome.violated - len(outcome.violations)} more")
        if outcome.note:
            say(f"{outcome.code}: not checked: {outcome.note}")
    broken = sum(outcome.state == "violated" for outcome in report.outcomes)
    said = f"{broken} of {len(report.outcomes)} promises are violated" if broken else "nothing is violated"
    say(f"{report.system}: {said} ({report.seconds:.1f} s)")


def _row(outcome: "Outcome") -> tuple[str, str, str, str]:
    counts = ", ".join(f"{count} {name}" for name, count in outcome.counts.items())
    return outcome.code, outcome.title, style(outcome.state, sys.stdout, fg=_COLOURS[outcome.state]), counts
