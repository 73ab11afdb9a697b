"""``shoal stop``."""

import asyncio
import os
import signal
import time

import click

from shoal.cli.acting import acts
from shoal.cli.output import examples, say
from shoal.cli.program import FOUND, OK, Global

_LOOK_EVERY = 0.03


_EXAMPLES = examples(
    "shoal stop",
    "shoal stop --now",
)


@click.command("stop", epilog=_EXAMPLES)
@click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait for the end.")
@click.option("--now", is_flag=True, help="End every process at once, without draining.")
@click.pass_obj
@acts("stop system", "now")
def command(context: Global, timeout: float, now: bool) -> int:
    """Stop the system: the gateway takes no more requests, services finish theirs, engines end.

    Stopping what does not run is no error.
    """
    from shoal.local.guardian import sweep
    from shoal.local.layout import layout_of
    from shoal.local.state import read_state
    from shoal.operating.running import alive

    state = read_state(context.root)
    if state is None or not alive(state):
        swept = asyncio.run(sweep(layout_of(context.root).guard))
        say(f"nothing ran; ended {len(swept)} processes that were left behind" if swept else "nothing runs")
        return OK
    for _ in range(2 if now else 1):  # the second signal makes it end everything at once
        os.kill(state.pid, signal.SIGTERM)
        time.sleep(_LOOK_EVERY)
    until = time.monotonic() + timeout
    while alive(state) and time.monotonic() < until:
        time.sleep(_LOOK_EVERY)
    if alive(state):
        say(f"pid {state.pid} still runs after {timeout:g} s; `shoal stop --now` ends it at once")
        return FOUND
    say(f"{state.system} has stopped")
    return OK
