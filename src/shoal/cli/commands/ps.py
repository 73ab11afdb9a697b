"""``shoal ps``."""

import time
from collections.abc import Callable

import click

from shoal.cli import output
from shoal.cli.output import examples
from shoal.cli.program import FOUND, OK, Global
from shoal.errors import HostError
from shoal.local.dashboard import linked
from shoal.local.state import ProcessState, RunState

_EXAMPLES = examples(
    "shoal ps",
    "shoal ps -w",
    "shoal ps -o json | jq '.processes[].status'",
)


@click.command("ps", epilog=_EXAMPLES)
@output.output_option
@click.option("-w", "--watch", is_flag=True, help="Show it again whenever it changes.")
@click.pass_obj
def command(context: Global, output: str, watch: bool) -> int:
    """Show what runs: engines, sandboxes and every replica.

    Exits with 0 when everything is ready, 1 when something is not, 3 when nothing runs.
    """
    show = _show_json if output == "json" else _show_table
    return _watch(context, show) if watch else _once(context, show)


def _once(context: Global, show: Callable[[RunState], None]) -> int:
    from shoal.operating.running import current

    state = current(context.root)
    show(state)
    return OK if all(p.status == "ready" for p in state.processes) else FOUND


def _watch(context: Global, show: Callable[[RunState], None]) -> int:
    from shoal.operating.running import current

    last: RunState | None = None
    while True:
        try:
            state = current(context.root)
        except HostError:
            if last is None:
                raise
            output.say("it has stopped")
            return OK
        if state != last:
            show(state)
            last = state
        time.sleep(0.2)


def _show_json(state: RunState) -> None:
    output.print_json(state)


def _places(state: RunState, process: ProcessState) -> str:
    """Say where a process answers, for programs and, if that is another place, for people."""
    return " ".join(dict.fromkeys(place for place in (process.address, state.urls.get(process.name, "")) if place))


def _mesh(state: RunState) -> str:
    return "" if state.mesh == "shared" else f", mesh {state.mesh}"


def _show_table(state: RunState) -> None:
    rows = [
        (
            p.name,
            p.kind,
            output.status(p.status),
            f"{p.ready_after:.2f} s" if p.ready_after else "-",
            str(p.restarts),
            str(p.pid or "-"),
            p.reason or _places(state, p),
        )
        for p in state.processes
    ]
    output.print_table(("NAME", "KIND", "STATUS", "STARTED IN", "RESTARTS", "PID", "ADDRESS"), rows)
    for source, text in state.problems.items():
        head, *rest = text.splitlines()
        click.echo("\n".join((f"✗ {source}: {head}", *(f"    {line}" for line in rest))))
    shape = f"{state.shape}{_mesh(state)}"
    output.say(f"{state.system} · {shape} · pid {state.pid} · API {state.gateway} · registry {state.registry}")
    if (link := linked(state)) is not None:
        output.say(f"Dashboard {link}")
