"""``shoal saga list|show|retry|compensate``."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from shoal.cli.acting import acts
from shoal.cli.output import examples, output_option, print_json, print_table, say, service_option, style
from shoal.cli.program import FOUND, OK, Global

if TYPE_CHECKING:
    from shoal.operating.sagas import Held
    from shoal.runtime.sagas.instances import Entry, Instance

STATES = ("running", "compensating", "parked", "completed", "compensated")
COLOURS = {"running": "cyan", "compensating": "yellow", "parked": "red", "completed": "green", "compensated": "yellow"}

_EXAMPLES = examples(
    "shoal saga list                       what is under way, what is parked",
    "shoal saga show ord_7                 every attempt of one saga",
    "shoal saga retry ord_7                let a parked saga go on",
    "shoal saga compensate ord_7           undo one that has not passed its pivot",
)


@click.group("saga", epilog=_EXAMPLES)
def command() -> None:
    """See sagas, and help those that need a person."""


_service_option = service_option("the sagas")


@command.command("list", epilog=examples("shoal saga list --state parked --json", "shoal saga list --service orders"))
@_service_option
@click.option("--state", type=click.Choice(STATES), multiple=True, help="Only those; can be repeated.")
@click.option("--all", "everything", is_flag=True, help="Those that have ended, too.")
@output_option
@click.pass_obj
def list_(context: Global, service: str, state: tuple[str, ...], everything: bool, output: str) -> int:
    """List sagas, those that changed last first; without those that have ended, unless asked for.

    Exits with 1 when one of those shown is parked, since it waits for you.
    """
    wanted = state or (STATES if everything else STATES[:3])
    found = asyncio.run(_listed(context, service, wanted))
    if output == "json":
        from shoal.operating import sagas

        print_json([{"service": name, **sagas.plain(saga)} for name, saga in found])
    elif found:
        _show_list(found)
    else:
        say(
            "no saga is under way or parked"
            if wanted == STATES[:3]
            else "no saga has ever run here"
            if everything and not service
            else "no such saga"
        )
    return FOUND if any(saga.status == "parked" for _, saga in found) else OK


@command.command("show", epilog=examples("shoal saga show ord_7", "shoal saga show return-goods/ord_7 --json"))
@click.argument("saga")
@_service_option
@output_option
@click.pass_obj
def show(context: Global, saga: str, service: str, output: str) -> int:
    """Show one saga, by its id or its key: what it knows, and every attempt of every step."""

    async def read(held: "Held") -> None:
        from shoal.operating import sagas
        from shoal.runtime.sagas.operator import history

        if output == "json":
            print_json(await sagas.whole(held))
        else:
            _show_one(held, await history(held.store, held.saga.id))

    asyncio.run(_with(context, saga, service, read))
    return OK


@command.command("retry", epilog=examples("shoal saga retry ord_7"))
@click.argument("saga")
@_service_option
@click.pass_obj
@acts("retry saga", "saga", "service")
def retry(context: Global, saga: str, service: str) -> int:
    """Let a parked saga go on where it stopped, with all its attempts and all its time again."""

    async def act(held: "Held") -> None:
        from shoal.runtime.sagas.operator import retry as again

        after = await again(held.store, held.kind, held.saga, datetime.now(UTC))
        say(f"{after.id} is {after.status} again, from step {after.step}")

    asyncio.run(_with(context, saga, service, act))
    return OK


@command.command("compensate", epilog=examples("shoal saga compensate ord_7"))
@click.argument("saga")
@_service_option
@click.option("--force", is_flag=True, help="Although nobody knows whether its pivot happened.")
@click.pass_obj
@acts("compensate saga", "saga", "service", "force")
def compensate(context: Global, saga: str, service: str, force: bool) -> int:
    """Undo a saga that is under way or parked, step by step.

    Refused once it has passed its pivot: from there it only goes on.
    """

    async def act(held: "Held") -> None:
        from shoal.runtime.sagas.operator import compensate as undo

        after = await undo(held.store, held.kind, held.saga, datetime.now(UTC), force=force)
        say(f"{after.id} is {after.status}" + (f", next is the compensation of {after.step}" if after.step else ""))

    asyncio.run(_with(context, saga, service, act))
    return OK


async def _listed(context: Global, service: str, states: Sequence[str]) -> list[tuple[str, "Instance"]]:
    from shoal.operating import sagas
    from shoal.operating.engines import engines

    statuses: Any = tuple(states)
    return await sagas.listed(engines(context), statuses, service)


async def _with(context: Global, name: str, service: str, act: Callable[["Held"], Awaitable[None]]) -> None:
    """Find the one saga that is meant, and do something with it."""
    from shoal.operating import sagas
    from shoal.operating.engines import engines

    async with sagas.held(engines(context), name, service) as found:
        await act(found)


def _colour(status: str) -> str:
    import sys

    return style(status, sys.stdout, fg=COLOURS[status])


def _show_list(found: Sequence[tuple[str, "Instance"]]) -> None:
    rows = [
        (service, saga.id, _colour(saga.status), _where(saga), _when(saga), saga.error[:80]) for service, saga in found
    ]
    print_table(("SERVICE", "SAGA", "STATE", "STEP", "DUE", "WHY"), rows)
    parked = sum(saga.status == "parked" for _, saga in found)
    if parked:
        say(f"{parked} parked: look with `shoal saga show`, mend the cause, then `shoal saga retry` or `compensate`")


def _where(saga: "Instance") -> str:
    if not saga.step:
        return "-"
    return f"{'undo ' if saga.direction == 'backward' else ''}{saga.step}" + (
        f" #{saga.tries + 1}" if saga.tries else ""
    )


def _when(saga: "Instance") -> str:
    return saga.due.astimezone().strftime("%H:%M:%S") if saga.is_active and saga.due is not None else "-"


def _show_one(held: "Held", entries: Sequence["Entry"]) -> None:
    saga = held.saga
    click.echo(f"{saga.id}  {_colour(saga.status)}  ({held.service}, {held.kind.source})", color=True)
    click.echo(f"began {_spell(saga.started)} · changed {_spell(saga.updated)} · deadline {_spell(saga.deadline)}")
    if saga.error:
        click.echo(f"why   {saga.error}")
    click.echo(f"state {saga.state}\n")
    done = {e.step for e in entries if e.direction == "forward" and e.outcome == "done"}
    undone = {e.step for e in entries if e.direction == "backward" and e.outcome == "done"}
    rows = [
        (step.name, step.kind, "undone" if step.name in undone else "done" if step.name in done else "-",
         step.compensation or "-", ", ".join(step.calls) or "-")
        for step in held.kind.steps
    ]  # fmt: skip
    print_table(("STEP", "KIND", "STATE", "COMPENSATION", "CALLS"), rows)
    if entries:
        click.echo()
        print_table(("#", "AT", "STEP", "ATTEMPT", "OUTCOME", "TOOK", "ERROR"), [_line(entry) for entry in entries])


def _line(entry: "Entry") -> tuple[str, ...]:
    step = f"undo {entry.step}" if entry.direction == "backward" else entry.step
    took = f"{(entry.ended - entry.started).total_seconds() * 1000:.0f} ms"
    return (str(entry.number), _spell(entry.started), step, str(entry.attempt), entry.outcome, took, entry.error[:100])


def _spell(time: datetime) -> str:
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
