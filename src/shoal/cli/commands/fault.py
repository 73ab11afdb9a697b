"""``shoal fault add|list|clear``."""

import asyncio
from typing import TYPE_CHECKING

import click

from shoal.cli.acting import acts
from shoal.cli.durations import duration
from shoal.cli.output import examples, output_option, print_json, print_table, say
from shoal.cli.program import FOUND, OK, Global

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.model.fault import Fault
    from shoal.model.plan import Plan

_EXAMPLES = examples(
    "shoal fault add orders:payments --delay 2s --percent 30",
    "shoal fault add gateway:orders.place_order --abort 503",
    "shoal fault list",
    "shoal fault clear",
)


@click.group("fault", epilog=_EXAMPLES)
def command() -> None:
    """Make calls between services late or fail on purpose, while the system runs.

    EDGE is caller:callee, also written caller→callee or 'caller->callee', with .ENDPOINT for one operation; `gateway`
    is a caller too. Faults begin and end at once, and none outlives the run.
    """


@command.command(
    "add",
    epilog=examples(
        "shoal fault add orders:payments --delay 2s --percent 30",
        "shoal fault add orders:payments --abort 503",
        "shoal fault add gateway:orders.place_order --delay 150ms --abort 500 --percent 5",
    ),
)
@click.argument("edge", metavar="EDGE")
@click.option(
    "--delay", type=duration, default="0", metavar="DURATION", help="How much later they are, such as 2s or 150ms."
)
@click.option("--abort", type=int, default=0, metavar="STATUS", help="Answer them by this status instead.")
@click.option("--percent", type=float, default=100.0, show_default=True, help="Share of the requests.")
@output_option
@click.pass_obj
@acts("inject fault", "edge", "delay", "abort", "percent")
def add(context: Global, edge: str, delay: float, abort: int, percent: float, output: str) -> int:
    """Strike the calls of one caller to one service, from the next request on.

    It replaces what struck them before. With a delay and an abort, each request draws for both.
    """
    from shoal.local import faults
    from shoal.model.fault import Fault, read_edge

    way = read_edge(edge)
    if not delay and not abort:
        raise click.UsageError("say what goes wrong: --delay 2s, --abort 503, or both")
    fault = Fault(
        caller=way.caller, callee=way.callee, endpoint=way.endpoint, delay=delay, abort=abort, percent=percent
    )
    proxies, plan = _run(context)
    asyncio.run(faults.add(proxies, plan, fault))
    if output == "json":
        print_json(fault)
    else:
        say(f"{fault.edge}: {_what(fault)}; end it with: shoal fault clear {fault.spelled}")
    return OK


@command.command("list", epilog=examples("shoal fault list", "shoal fault list -o json | jq '.[].callee'"))
@output_option
@click.pass_obj
def list_(context: Global, output: str) -> int:
    """List what goes wrong on purpose at present.

    Exits with 1 when there is any, since somebody may have forgotten it.
    """
    from shoal.local import faults

    proxies, plan = _run(context)
    found = asyncio.run(faults.present(proxies, plan))
    if output == "json":
        print_json(found)
    elif found:
        print_table(("EDGE", "FAULT"), [(fault.edge, _what(fault)) for fault in found])
    else:
        say("nothing goes wrong on purpose")
    return FOUND if found else OK


@command.command("clear", epilog=examples("shoal fault clear", "shoal fault clear orders:payments"))
@click.argument("edge", metavar="[EDGE]", default="")
@click.pass_obj
@acts("clear faults", "edge")
def clear(context: Global, edge: str) -> int:
    """End every fault, or those of one edge."""
    from shoal.local import faults
    from shoal.model.fault import read_edge

    proxies, plan = _run(context)
    asyncio.run(faults.clear(proxies, plan, read_edge(edge) if edge else None))
    say(f"nothing goes wrong on purpose any more{' from ' + edge if edge else ''}")
    return OK


def _run(context: Global) -> "tuple[tuple[Path, ...], Plan]":
    """Find the proxies of the living run, and what was planned."""
    from shoal.operating import project
    from shoal.operating.mesh import proxies

    return proxies(context, project.read(context))


def _what(fault: "Fault") -> str:
    parts = [f"{fault.delay:g} s later"] if fault.delay else []
    parts += [f"answered by {fault.abort}"] if fault.abort else []
    return f"{fault.percent:g} % " + " and ".join(parts)
