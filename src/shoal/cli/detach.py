"""Run in the background, and say how that goes."""

import os
import subprocess
import sys
import time
from pathlib import Path

from shoal.cli.output import say
from shoal.cli.program import ENVIRONMENT, FOUND, OK, Global
from shoal.errors import HostError
from shoal.local.dashboard import linked
from shoal.local.layout import layout_of, make
from shoal.local.process import spawn_detached
from shoal.local.state import RunState, read_state
from shoal.operating.running import alive

_LOOK_EVERY = 0.03
_SIGNS_WITHIN = 20.0
_ENDING = ("failed", "stopping", "stopped")
"""What a run writes that could not begin; it ends by itself, with its reason as exit code."""


def detach(context: Global, options: tuple[str, ...], *, wait: bool) -> int:
    """Start `shoal run` with `options` in the background.

    Args:
        context: The project.
        options: Of ``shoal run``.
        wait: Return once everything answers, with what it says meanwhile; otherwise once it has begun: the project
            and its port are its own.
    """
    running = read_state(context.root)
    if running is not None and alive(running):
        raise HostError(
            f"this project is already running (pid {running.pid})", hint="`shoal ps` shows it and `shoal stop` stops it"
        )
    layout = layout_of(context.root)
    make(layout)
    file = layout.logs / "supervisor.txt"
    file.unlink(missing_ok=True)
    argv = [sys.executable, "-m", "shoal.cli", "-C", str(context.root)]
    argv += ["--system", context.system] if context.system else []
    argv += ["-q"] if context.verbosity < 0 else ["-v"] * context.verbosity
    if given := os.environ.get("PYTHONPATH"):  # it may be relative, and the child lives in another folder
        os.environ["PYTHONPATH"] = os.pathsep.join(str(Path(p).absolute()) for p in given.split(os.pathsep) if p)
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        child = spawn_detached([*argv, "run", *options, "--into", str(file)], nothing)
    finally:
        os.close(nothing)
    return _follow(context, child, file, wait=wait)


def _follow(context: Global, child: "subprocess.Popen[bytes]", file: Path, *, wait: bool) -> int:
    shown = 0
    until = time.monotonic() + _SIGNS_WITHIN
    while child.poll() is None:
        state = read_state(context.root)
        own = state is not None and state.pid == child.pid
        begun = own and state is not None and state.status not in _ENDING
        if wait:
            shown = _copy(file, shown)
        if state is not None and begun and (state.status == "ready" or not wait):
            _copy(file, shown) if wait else None
            _tell(state) if context.verbosity >= 0 else None
            return OK
        if not own and time.monotonic() > until:
            break
        time.sleep(_LOOK_EVERY)
    _copy(file, shown)
    return ENVIRONMENT if child.poll() == ENVIRONMENT else FOUND


def _tell(state: RunState) -> None:
    say(f"running in the background, pid {state.pid}")
    say(f"  API   {state.gateway}")
    if state.authority:
        say(f"  trust {state.authority} (curl --cacert, or the browser's authorities)")
    if (link := linked(state)) is not None:
        say(f"  Dashboard  {link}")
    say("  next  shoal ps · shoal logs -f · shoal stop")


def _copy(file: Path, shown: int) -> int:
    """Show what was printed beyond `shown` bytes; return how much that makes."""
    try:
        with file.open("rb") as text:
            text.seek(shown)
            fresh = text.read()
    except FileNotFoundError:
        return shown
    whole = fresh[: fresh.rfind(b"\n") + 1]
    if whole:
        say(whole.decode("utf-8", "replace").rstrip("\n"))
    return shown + len(whole)
