"""Write down what the supervisor says: it may run where nobody watches."""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from shoal.local.layout import layout_of
from shoal.local.logs import Log
from shoal.local.reporter import Reporter
from shoal.local.state import ProcessState, RunState

NAME = "supervisor"
"""Name of its log."""


class Scribe:
    """A `Reporter` that tells another one, keeps a log, and knows what is unsolved.

    Args:
        reporter: Who is told, too.
        root: Folder of the project.
        changed: Called when something became a problem, or is none any more.
    """

    def __init__(self, reporter: Reporter, root: Path, changed: Callable[[], None]) -> None:
        self._reporter, self._changed = reporter, changed
        self._log = Log(layout_of(root).logs / f"{NAME}.log")
        self.problems: dict[str, str] = {}
        """What needs the author, by its source."""

    def changed(self, process: ProcessState) -> None:
        """Pass it on: the state file has it."""
        self._reporter.changed(process)

    def line(self, source: str, text: str) -> None:
        """Pass it on: the log of the process has it."""
        self._reporter.line(source, text)

    def event(self, source: str, text: str) -> None:
        """Write it down."""
        self._write("info", f"{source}: {text}")
        self._reporter.event(source, text)

    def problem(self, source: str, text: str) -> None:
        """Write it down, once, and keep it until it is solved."""
        if self.problems.get(source) != text:
            self.problems[source] = text
            self._write("error", f"{source}: {text}")
            self._changed()
        self._reporter.problem(source, text)

    def solved(self, source: str) -> None:
        """Forget it."""
        if self.problems.pop(source, None) is not None:
            self._write("info", f"{source}: solved")
            self._changed()
        self._reporter.solved(source)

    def ready(self, run: RunState, seconds: float) -> None:
        """Write it down."""
        good = sum(p.status == "ready" for p in run.processes)
        self._write("info", f"{good} of {len(run.processes)} ready in {seconds:.2f} s, API {run.gateway}")
        self._reporter.ready(run, seconds)

    def close(self) -> None:
        """Close the log; a later line opens it again."""
        self._log.close()

    def _write(self, level: str, text: str) -> None:
        self._log.write(msgspec.json.encode({"time": time.time(), "level": level, "message": text}).decode())
