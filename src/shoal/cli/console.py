"""What `shoal run` shows: progress to standard error, logs to standard output."""

import sys
import time

import click

from shoal.cli.lines import LEVELS, Painter
from shoal.cli.output import say, style
from shoal.local.dashboard import NAME as DASHBOARD
from shoal.local.dashboard import linked
from shoal.local.logs import parse, wrap
from shoal.local.state import ProcessState, RunState

_SILENT_ENGINES = ("postgres", "nats", "kafka", "rabbitmq", "pubsub", "envoy", "mailbox", "valkey", "aws", "dashboard")


class Console:
    """A `local.reporter.Reporter` for people."""

    def __init__(self, *, verbosity: int = 0, began: float | None = None) -> None:
        self._began = began
        self._verbosity = verbosity
        self._painter = Painter(sys.stdout)
        self._problems: dict[str, str] = {}
        self._up = False
        self._told: set[str] = set()

    def changed(self, process: ProcessState) -> None:
        """Say once of each process that it is ready."""
        if process.status == "ready" and process.name not in self._told and self._verbosity >= 0:
            self._told.add(process.name)
            mark = style("✓", sys.stderr, fg="green")
            say(f"  {mark} {process.name:<20} {process.ready_after:5.2f} s")

    def line(self, source: str, text: str) -> None:
        """Show a line of a log, unless a problem is on screen or it is an engine's small talk."""
        if not self._wanted(source, text):
            return
        click.echo(self._painter.paint(source, text), color=True)

    def event(self, source: str, text: str) -> None:
        """Show what the supervisor did."""
        if self._verbosity >= 0:
            say(f"{_now()} {style(f'{source:<14}', sys.stderr, fg='cyan')} {text}")

    def problem(self, source: str, text: str) -> None:
        """Show a problem; logs of less importance are muted until it is solved."""
        if self._problems.get(source) == text:
            return
        self._problems[source] = text
        head, *rest = text.splitlines()
        mark = style("✗", sys.stderr, fg="red", bold=True)
        say(f"{_now()} {style(f'{source:<14}', sys.stderr, fg='red')} {mark} {head}")
        for line in rest:
            say(f"         {line}")

    def solved(self, source: str) -> None:
        """Let logs flow again."""
        if self._problems.pop(source, None) is not None and not self._problems:
            say(f"{_now()} {source:<14} {style('✓', sys.stderr, fg='green')} solved")

    def ready(self, run: RunState, seconds: float) -> None:
        """Say where everything is, and what to do next; the time is what the caller waited."""
        if self._began is not None:
            seconds = time.monotonic() - self._began
        self._up = True
        good = sum(p.status == "ready" for p in run.processes)
        whole = good == len(run.processes)
        mark = style("✓" if whole else "!", sys.stderr, fg="green" if whole else "yellow")
        if not whole or self._verbosity >= 0:
            say(f"{mark} {good} of {len(run.processes)} ready in {seconds:.2f} s")
        for process in run.processes:
            if process.status != "ready":
                say(f"  {process.name} is tried again until it starts; why it does not: shoal logs {process.name}")
        if self._verbosity < 0:
            return
        say(f"  API        {run.gateway}")
        if run.authority:
            say(f"  trust      {run.authority} (curl --cacert, or the browser's authorities)")
        for name, url in sorted(run.urls.items()):
            if name != DASHBOARD:
                say(f"  {name:<10} {url}")
        if (link := linked(run)) is not None:
            say(f"  Dashboard  {link}")
        say("  next       shoal ps · shoal logs -f SERVICE · shoal call SERVICE.ENDPOINT · shoal describe")

    def _wanted(self, source: str, text: str) -> bool:
        level = LEVELS.get(_level(text), 20)
        if self._problems and source not in self._problems and level < LEVELS["error"]:
            return False
        if self._verbosity > 0:
            return True
        if source in _SILENT_ENGINES:
            return self._up and level >= LEVELS["error"]
        return level >= (LEVELS["warning"] if self._verbosity < 0 else LEVELS["info"])


def _level(text: str) -> str:
    return parse(text.encode() if text.startswith("{") else wrap(text))[0].level


def _now() -> str:
    return time.strftime("%H:%M:%S")
