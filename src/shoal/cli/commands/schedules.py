"""``shoal schedules list|run``."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import click

from shoal.cli.acting import acts
from shoal.cli.output import examples, output_option, print_json, print_table, say, service_option
from shoal.cli.program import FOUND, OK, Global
from shoal.errors import DeclarationError, ShoalError

if TYPE_CHECKING:
    from shoal.drivers.base import Store
    from shoal.runtime.schedules.rows import State
    from shoal.service.schedules import ScheduleDeclaration

PATIENCE = 60.0
"""Seconds that ``--wait`` waits at most."""

_EXAMPLES = examples(
    "shoal schedules list                         what runs when, and how it went",
    "shoal schedules run payments.reconcile       run it now, once",
)


class _Row(NamedTuple):
    """One schedule, as it is declared and as it stands."""

    service: str
    declared: "ScheduleDeclaration"
    state: "State | None"


@click.group("schedules", epilog=_EXAMPLES)
def command() -> None:
    """See what runs by the clock, and run it now."""


@command.command("list", epilog=examples("shoal schedules list", "shoal schedules list --service payments --json"))
@service_option("the schedules")
@output_option
@click.pass_obj
def list_(context: Global, service: str, output: str) -> int:
    """List schedules: the rule, the next due time, and how the last run ended.

    Exits with 1 when the last run of one was given up.
    """
    found = asyncio.run(_rows(context, service))
    if output == "json":
        print_json([_plain(row) for row in found])
    else:
        _show(found)
    return FOUND if any(row.state and row.state.outcome == "abandoned" for row in found) else OK


@command.command(
    "run", epilog=examples("shoal schedules run payments.reconcile", "shoal schedules run payments.reconcile --wait")
)
@click.argument("target", metavar="SERVICE.SCHEDULE")
@click.option("--wait", is_flag=True, help="Wait until it has run, a minute at most; exits with 1 when it failed.")
@click.pass_obj
@acts("run schedule", "target")
def run(context: Global, target: str, wait: bool) -> int:
    """Run a schedule now, on one replica; its next due time comes all the same."""
    return asyncio.run(_run(context, target, wait))


async def _rows(context: Global, only: str) -> list[_Row]:
    from shoal.operating.engines import engines
    from shoal.runtime.schedules.operator import states

    run, found = engines(context), []
    if only:
        run.planned(only)
    for service in run.declared.services:
        if service.schedules and only in ("", service.name):
            async with run.store(service.name) as store:
                known = await states(store)
            found += [_Row(service.name, d, known.get(d.model.name)) for d in service.schedules]
    return found


async def _run(context: Global, target: str, wait: bool) -> int:
    from shoal.operating.engines import engines
    from shoal.runtime.schedules.operator import ask

    service, _, name = target.partition(".")
    running, now = engines(context), datetime.now(UTC)
    known = [declared.model.name for declared in running.declaration(service).schedules]
    if name not in known:
        raise DeclarationError(
            f"service {service} has no schedule {name!r}", hint=f"its schedules: {', '.join(known) or 'none'}"
        )
    async with running.store(service) as store:
        if not await ask(store, name, now):
            raise ShoalError(f"{target} is not counted yet", hint="is the service up? shoal ps")
        if not wait:
            say(f"{target} runs within seconds; `shoal schedules list` tells how it ended")
            return OK
        state = await _ended(store, name, now)
    say(f"{target}: {state.error or state.outcome}")
    return FOUND if state.error else OK


async def _ended(store: "Store", name: str, asked: datetime) -> "State":
    """Wait for the end of a run that was asked for; `ShoalError` when it takes too long."""
    from shoal.runtime.schedules.operator import states

    try:
        async with asyncio.timeout(PATIENCE):
            state = (await states(store))[name]
            while state.settled < asked and state.due != asked:
                await asyncio.sleep(0.1)
                state = (await states(store))[name]
            return state
    except TimeoutError as error:
        raise ShoalError(
            f"the run of {name} has not ended within {PATIENCE:g} s",
            hint="it goes on; `shoal schedules list` tells how it ended",
        ) from error


def _next(row: _Row) -> datetime:
    from shoal.model.due import following

    return following(row.declared.rule, datetime.now(UTC)).astimezone(row.declared.zone)


def _plain(row: _Row) -> dict[str, object]:
    state = row.state
    return {
        "service": row.service,
        "schedule": row.declared.model.name,
        "rule": row.declared.model.rule,
        "missed": row.declared.model.missed,
        "next": _next(row).isoformat(),
        "last": state.settled.isoformat() if state and state.outcome else None,
        "outcome": state.outcome if state else None,
        "attempts": state.attempts if state else 0,
        "error": state.error if state else None,
    }


def _show(found: list[_Row]) -> None:
    rows = []
    for row in found:
        state, declared = row.state, row.declared
        last = f"{state.settled.astimezone(declared.zone):%Y-%m-%d %H:%M:%S}" if state and state.outcome else "-"
        outcome = "never ran" if state is None or state.outcome is None else state.outcome
        said = f"{outcome}: {state.error}" if state and state.error else outcome
        due = f"{_next(row):%Y-%m-%d %H:%M:%S}"
        rows.append((f"{row.service}.{declared.model.name}", declared.model.rule, due, last, said))
    if rows:
        print_table(("SCHEDULE", "RULE", "NEXT", "LAST", "OUTCOME"), rows)
    else:
        say("no service has a schedule")
