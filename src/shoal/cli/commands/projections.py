"""``shoal projections list|rebuild``."""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import msgspec

from shoal.cli.acting import acts
from shoal.cli.output import examples, output_option, print_json, print_table, say, service_option, style
from shoal.cli.program import FOUND, OK, Global
from shoal.errors import DeclarationError, ShoalError

if TYPE_CHECKING:
    from shoal.operating.engines import Engines
    from shoal.runtime.projections.fold import Fold
    from shoal.runtime.projections.rebuild import Rebuilt
    from shoal.runtime.projections.standing import Standing
    from shoal.runtime.projections.verify import Comparison
    from shoal.service.declare import Service

COLOURS = {"live": "green", "behind": "yellow", "new": "cyan", "stalled": "red", "outdated": "yellow"}

_EXAMPLES = examples(
    "shoal projections list                            how far each read model has come",
    "shoal projections rebuild order-history --check   does it equal its events?",
    "shoal projections rebuild order-history           build it anew beside the live one, then swap",
)

_QUIET_SECONDS = 1.0
"""Work that takes no longer says nothing of its progress."""


class _Target(NamedTuple):
    service: "Service"
    fold: "Fold"


@click.group("projections", epilog=_EXAMPLES)
def command() -> None:
    """See read models, compare them with their events, and build them anew."""


_service_option = service_option("the projections")


@command.command("list", epilog=examples("shoal projections list", "shoal projections list --service orders --json"))
@_service_option
@output_option
@click.pass_obj
def list_(context: Global, service: str, output: str) -> int:
    """List read models: how far they have come, how far they are behind, and how many records they hold.

    Exits with 1 when one has stopped, or was built by older handlers than there are now.
    """
    found = asyncio.run(_standings(context, service))
    if output == "json":
        print_json([{"service": name, **msgspec.to_builtins(at)} for name, at in found])
    elif found:
        _show(found)
    else:
        say("no service has a projection")
    return FOUND if any(at.state in ("stalled", "outdated") for _, at in found) else OK


@command.command(
    "rebuild",
    epilog=examples(
        "shoal projections rebuild order-history --check",
        "shoal projections rebuild order-history product-search",
        "shoal projections rebuild --all --check --json",
    ),
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="All projections.")
@click.option(
    "--check", is_flag=True, help="Only compare with the live one, byte for byte; exit code 1 says they differ."
)
@_service_option
@output_option
@click.pass_obj
@acts("rebuild projections", "names", "everything")
def rebuild(context: Global, /, names: tuple[str, ...], everything: bool, check: bool, **options: Any) -> int:
    """Build read models anew from the journal of their events, beside the live ones, and put them in their place.

    Events are handled, and requests are answered from the live model, all the while. A rebuild that is interrupted has
    changed nothing.
    """
    if bool(names) == everything:
        raise click.UsageError("name the projections, or say --all")
    as_json = options["output"] == "json"
    work = _compare if check else _rebuild
    results = asyncio.run(_each(context, names, options["service"], work))
    if as_json:
        print_json([{"service": service, **_plain(result)} for service, result in results])
    for service, result in results:
        if not as_json:
            _tell(service, result)
    return OK if all(getattr(result, "same", True) for _, result in results) else FOUND


async def _standings(context: Global, service: str) -> list[tuple[str, "Standing"]]:
    from shoal.operating.engines import engines
    from shoal.runtime.projections.standing import standings

    found = engines(context)
    by_service: dict[str, list[Fold]] = {}
    for target in _targets(found, (), service):
        by_service.setdefault(target.service.name, []).append(target.fold)
    result: list[tuple[str, Standing]] = []
    for name, folds in by_service.items():
        async with found.store(name) as store:
            result += [(name, at) for at in await standings(store, folds)]
    return result


async def _each(
    context: Global, names: Sequence[str], service: str, work: Callable[[Any, "Fold"], Any]
) -> list[tuple[str, Any]]:
    from shoal.operating.engines import engines

    found = engines(context)
    results = []
    for target in _targets(found, names, service):
        async with found.readable(target.service.name) as store:
            results.append((target.service.name, await work(store, target.fold)))
    return results


def _targets(found: "Engines", names: Sequence[str], service: str) -> list[_Target]:
    """Find projections by name; all of them when none is named."""
    from shoal.runtime.projections.fold import compile_fold

    if service:
        found.declaration(service)
    known = [
        _Target(declared, compile_fold(projection, declared.projections))
        for declared in found.declared.services
        if service in ("", declared.name)
        for projection in declared.projections
    ]
    for name in names:
        matching = [target for target in known if target.fold.name == name]
        if not matching:
            there = ", ".join(target.fold.name for target in known) or "none"
            raise DeclarationError(f"there is no projection {name!r}", hint=f"projections: {there}")
        if len(matching) > 1:
            where = " and ".join(target.service.name for target in matching)
            raise ShoalError(f"{where} both have a projection {name}", hint="name one with --service")
    return [target for target in known if not names or target.fold.name in names]


async def _compare(store: Any, fold: "Fold") -> "Comparison":
    from shoal.runtime.projections.unread import require_read
    from shoal.runtime.projections.verify import compare

    await require_read(store, fold)
    return await compare(store, fold, _progress(fold.name))


async def _rebuild(store: Any, fold: "Fold") -> "Rebuilt":
    from shoal.runtime.projections.rebuild import rebuild as build

    return await build(store, fold, _progress(fold.name))


def _progress(name: str) -> Callable[[int, int], None]:
    """Say how far it is, once a second."""
    said = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal said
        if time.monotonic() - said >= _QUIET_SECONDS:
            said = time.monotonic()
            share = f"{100 * done // total:3} %  " if total else ""
            say(f"  {name}  {share}{done} of {total} events")

    return progress


def _plain(result: Any) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(result)
    return {**plain, "same": result.same} if hasattr(result, "same") else plain


def _show(found: Sequence[tuple[str, "Standing"]]) -> None:
    headers = ("SERVICE", "PROJECTION", "STATE", "EVENTS", "BEHIND", "WAITING", "LAST EVENT", "RECORDS", "BUILT")
    print_table(headers, [_row(service, at) for service, at in found])
    for service, at in found:
        if at.error:
            say(f"{at.name} of {service} has failed {at.failures} times at its next event: {at.error}")
        if at.state == "outdated":
            say(f"{at.name} of {service} was built by older handlers: shoal projections rebuild {at.name}")
    for service, parked in {service: at.parked for service, at in found if at.parked}.items():
        say(f"{service}: {parked} events wait for earlier ones of their keys that have not come")


def _row(service: str, at: "Standing") -> tuple[str, ...]:
    records = ", ".join(f"{count} {table}" for table, count in at.rows.items())
    last = at.time.strftime("%Y-%m-%d %H:%M:%S") if at.time else "-"
    state = style(at.state, sys.stdout, fg=COLOURS[at.state])
    built = f"v{at.version}, build {at.generation}"
    return service, at.name, state, str(at.events), str(at.behind), str(at.waiting), last, records, built


def _tell(service: str, result: Any) -> None:
    if not hasattr(result, "same"):
        rows = ", ".join(f"{table} {result.rows_before[table]} -> {count}" for table, count in result.rows.items())
        click.echo(f"{result.name} of {service} is rebuilt from {result.events} events (records: {rows})")
        return
    if result.same:
        click.echo(
            f"{result.name} of {service} equals its {result.events} events: {result.rows} records, {result.digest}"
        )
        return
    click.echo(f"{result.name} of {service} is not what its events say: {result.differing} records differ")
    if result.events != result.folded:
        click.echo(f"  it counts {result.events} events where the journal holds {result.folded}")
    for difference in result.differences:
        click.echo(f"  {difference.table} {difference.key}")
        click.echo(f"    - {difference.live or 'no such record'}")
        click.echo(f"    + {difference.folded or 'no such record'}")
    say(f"  build it anew: shoal projections rebuild {result.name}")
