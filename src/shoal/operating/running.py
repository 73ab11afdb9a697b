"""The run of a project, as its state file tells it."""

from pathlib import Path
from typing import Any

from shoal.errors import HostError
from shoal.local import reaper
from shoal.local.state import RunState, copied_from, read_state


def alive(state: RunState) -> bool:
    """Say whether the supervisor that wrote the state still lives."""
    born = reaper.born(state.pid)
    return bool(born) and born == state.born


def current(root: Path) -> RunState:
    """Return the state of the living run, or raise `HostError`."""
    state = read_state(root)
    if state is None and (original := copied_from(root)) is not None:
        raise HostError(
            f"nothing runs in {root}: it is a copy of {original}, and has not run itself",
            hint=f"start it with `shoal run`, or name the original: -C {original}",
        )
    if state is None or not alive(state):
        raise HostError(f"nothing runs in {root}", hint="start it with `shoal run`, or name the project with -C DIR")
    return state


def ask(root: Path, do: str, **values: object) -> Any:
    """Ask the living run to do something, and return what it says; see `shoal.local.control.ask`."""
    import asyncio

    from shoal.local import control

    return asyncio.run(control.ask(control.socket_of(current(root).runtime), do, **values))
