"""``shoal saga list|show|retry|compensate``."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import msgspec

from shoal.cli.output import examples, output_option, print_json, print_table, say, service_option, style
from shoal.cli.program import FOUND, OK, Global
from shoal.errors import DeclarationError, ShoalError

if TYPE_CHECKING:
    from shoal import model
    from shoal.drivers.base import Store
    from shoal.runtime.sagas.instances import Entry, Instance

STATES = ("running", "compensating", "parked", "completed", "compensated")
COLOURS = {"running": "cyan", "compensating": "yellow", "parked": "red", "completed": "green", "compensated": "yellow"}

_EXAMPLES = examples(
    "shoal saga list                       what is under way, what is parked",
    "shoal saga show ord_7                 every attempt of one saga",
    "shoal saga retry ord_7                let a parked saga go on",
    "shoal saga compensate ord_7           undo one that has not passed its pivot",
)


class _Held(NamedTuple):
    """One saga, and where it was found."""

    service: str
    kind: "model.Saga"
    store: "Store"
    saga: "Instance"


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
        print_json([{"service": name, **_plain(saga)} for name, saga in found])
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

    async def read(held: _Held) -> None:
        from shoal.runtime.sagas.operator import history

        entries = await history(held.store, held.saga.id)
        if output == "json":
            steps = [msgspec.to_builtins(step) for step in held.kind.steps]
            journal = [msgspec.to_builtins(entry) for entry in entries]
            print_json({"service": held.service, **_plain(held.saga), "steps": steps, "journal": journal})
        else:
            _show_one(held, entries)

    asyncio.run(_with(context, saga, service, read))
    return OK


@command.command("retry", epilog=examples("shoal saga retry ord_7"))
@click.argument("saga")
@_service_option
@click.pass_obj
def retry(context: Global, saga: str, service: str) -> int:
    """Let a parked saga go on where it stopped, with all its attempts and all its time again."""

    async def act(held: _Held) -> None:
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
def compensate(context: Global, saga: str, service: str, force: bool) -> int:
    """Undo a saga that is under way or parked, step by step.

    Refused once it has passed its pivot: from there it only goes on.
    """

    async def act(held: _Held) -> None:
        from shoal.runtime.sagas.operator import compensate as undo

        after = await undo(held.store, held.kind, held.saga, datetime.now(UTC), force=force)
        say(f"{after.id} is {after.status}" + (f", next is the compensation of {after.step}" if after.step else ""))

    asyncio.run(_with(context, saga, service, act))
    return OK


@asynccontextmanager
async def _stores(context: Global, service: str) -> AsyncIterator[list[tuple[str, "model.Service", "Store"]]]:
    """Open the stores of the services that have sagas."""
    from contextlib import AsyncExitStack

    from shoal.cli.engines import engines

    running = engines(context)
    services = {s.name: s for s in running.plan.system.services}
    if service:
        running.planned(service)
    wanted = [s for s in services.values() if s.sagas and service in ("", s.name)]
    if not wanted and service:
        having = ", ".join(s.name for s in services.values() if s.sagas) or "none"
        raise DeclarationError(f"service {service} has no sagas", hint=f"services with sagas: {having}")
    async with AsyncExitStack() as stack:
        yield [(s.name, s, await stack.enter_async_context(running.store(s.name))) for s in wanted]


async def _listed(context: Global, service: str, states: Sequence[str]) -> list[tuple[str, "Instance"]]:
    from shoal.runtime.sagas.operator import listed

    async with _stores(context, service) as stores:
        statuses: Any = tuple(states)
        found = [(name, saga) for name, _, store in stores for saga in await listed(store, statuses)]
    return sorted(found, key=lambda pair: pair[1].updated, reverse=True)


async def _with(context: Global, name: str, service: str, act: Callable[[_Held], Awaitable[None]]) -> None:
    """Find the one saga that is meant, and do something with it."""
    from shoal.runtime.sagas.operator import found

    async with _stores(context, service) as stores:
        held = [
            _Held(owner, kind, store, saga)
            for owner, declared, store in stores
            for saga in await found(store, name)
            for kind in (declared.saga(saga.saga),)
            if kind is not None
        ]
        if not held:
            raise ShoalError(f"there is no saga {name!r}", hint="its id or key, as `shoal saga list --all` shows it")
        if len(held) > 1:
            ids = ", ".join(f"{one.service}: {one.saga.id}" for one in held)
            raise ShoalError(f"{name!r} is the key of several sagas", hint=f"give the id, or --service: {ids}")
        await act(held[0])


def _plain(saga: "Instance") -> dict[str, Any]:
    plain = msgspec.to_builtins(saga)
    plain["state"] = msgspec.json.decode(saga.state)
    return dict(plain)


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


def _show_one(held: _Held, entries: Sequence["Entry"]) -> None:
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
