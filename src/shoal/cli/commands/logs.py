"""``shoal logs``."""

import heapq
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from shoal.cli.durations import seconds
from shoal.cli.lines import LEVELS, Painter
from shoal.cli.output import colourful, escaped, examples, output_option, say
from shoal.cli.program import FOUND, OK, Global
from shoal.cli.recorded import run_option
from shoal.cli.recorded_logs import show_recorded
from shoal.errors import HostError

_LOOK_EVERY = 0.1


class _Filter(NamedTuple):
    level: int
    trace: str
    after: float


class _Source(NamedTuple):
    """What is shown under one name."""

    file: Path
    service: str = ""
    """Only its lines, of a file that several share."""


class _Entry(NamedTuple):
    time: float
    source: str
    text: str


_EXAMPLES = examples(
    "shoal logs orders payments -f",
    "shoal logs --level error --since 5m",
    "shoal logs --trace 7be1c0ffee -o json",
    "shoal logs orders --run 3 --level warning    of an earlier run",
)


@click.command("logs", epilog=_EXAMPLES)
@click.argument("services", nargs=-1, metavar="[SERVICE]...")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is printed from now on.")
@click.option("--level", type=click.Choice(list(LEVELS)), default="debug", help="Only lines of this level or above.")
@click.option("--trace", default="", help="Only lines of this trace.")
@click.option("--since", default="", metavar="5m", help="Only lines younger than this (s, m, h, d).")
@run_option
@output_option
@click.pass_obj
def command(context: Global, /, services: tuple[str, ...], follow: bool, run: int | None, **options: str) -> int:
    """Show what processes printed: all of them, or only those named.

    SERVICE is a service (all its replicas), one replica such as orders-0, an engine, a sandbox, or supervisor for what
    starts and reloads them. With -o json the
    lines come as they were written, one JSON object each. With --run N they are those that services sent in a recorded
    run, also one whose files are gone; so are those of a --trace that no file has.
    """
    if run is not None:
        return OK if show_recorded(context, run, services, options) else FOUND
    files = _sources(context.root, services)
    chosen = _Filter(LEVELS[options["level"]], options["trace"], time.time() - seconds(options["since"]))
    if not options["since"]:
        chosen = chosen._replace(after=0.0)
    show = _shower(options["output"])
    shown = 0
    for entry in heapq.merge(*(_entries(name, file, chosen) for name, file in files.items()), key=lambda e: e.time):
        show(entry)
        shown += 1
    if not shown and options["trace"] and not follow:
        shown = show_recorded(context, None, services, options)
    if not shown:
        _say_nothing(context.root, bool(files), follow)
    if follow:
        _follow(context.root, services, chosen, show)
    return OK if shown or not (options["trace"]) else FOUND


def _say_nothing(root: Path, written: bool, follow: bool) -> None:
    """Tell an empty answer from a wrong folder."""
    waiting = "; waiting for the first" if follow else ""
    say(f"no such lines in the logs{waiting}" if written else f"nothing has run in {root} yet{waiting}")


def _sources(root: Path, services: tuple[str, ...]) -> dict[str, _Source]:
    from shoal.local import logs
    from shoal.local.layout import layout_of

    folder = layout_of(root).logs
    found = {file.stem: _Source(file) for file in logs.files(folder)}
    if not services:
        return found
    chosen: dict[str, _Source] = {}
    for service in services:
        own = {n: s for n, s in found.items() if n == service or re.fullmatch(rf"{re.escape(service)}-\d+", n)}
        own |= _shared(root, service, found)
        if not own:
            raise HostError(
                f"there is no log of {service!r} in {folder}",
                hint=f"there are logs of: {', '.join(found)}" if found else "nothing has run here yet",
            )
        chosen |= own
    return chosen


def _shared(root: Path, service: str, found: dict[str, _Source]) -> dict[str, _Source]:
    """Find a service in the log of the one process that holds them all."""
    from shoal.local.state import read_state

    state = read_state(root)
    whole = found.get(state.system) if state is not None else None
    mark = f'"service":"{service}"'.encode()
    if whole is None or service in found or not any(mark in line for line in _lines(whole.file)):
        return {}
    return {service: whole._replace(service=service)}


def _lines(file: Path) -> Iterator[bytes]:
    from shoal.local.logs import read

    return read(file)


def _entries(name: str, source: _Source, chosen: _Filter) -> Iterator[_Entry]:
    yield from (entry for line in _lines(source.file) if (entry := _entry(name, source, line, chosen)))


def _entry(name: str, source: _Source, line: bytes, chosen: _Filter) -> _Entry | None:
    from shoal.local.logs import parse

    common, fields = parse(line)
    if LEVELS.get(common.level, 20) < chosen.level or common.time < chosen.after:
        return None
    if chosen.trace and not common.trace_id.startswith(chosen.trace):
        return None
    if source.service and fields.get("service") != source.service:
        return None
    return _Entry(common.time, name, line.decode("utf-8", "replace"))


def _shower(form: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a function of an entry
    if form == "json":
        return lambda entry: click.echo(escaped(entry.text))
    painter = Painter(sys.stdout)
    colours = colourful(sys.stdout)
    return lambda entry: click.echo(painter.paint(entry.source, entry.text), color=colours)


def _follow(root: Path, services: tuple[str, ...], chosen: _Filter, show) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Show what is added to the logs, also to those that appear later, until interrupted."""
    ends = {name: source.file.stat().st_size for name, source in _sources(root, services).items()}
    while True:
        for name, source in _sources(root, services).items():
            fresh, ends[name] = _added(source.file, ends.get(name, 0))
            for line in fresh:
                if entry := _entry(name, source, line, chosen):
                    show(entry)
        sys.stdout.flush()
        time.sleep(_LOOK_EVERY)


def _added(file: Path, end: int) -> tuple[list[bytes], int]:
    try:
        if file.stat().st_size < end:  # rotated
            end = 0
        with file.open("rb") as text:
            text.seek(end)
            fresh = text.read()
    except OSError:
        return [], end
    whole = fresh[: fresh.rfind(b"\n") + 1]
    return whole.splitlines(), end + len(whole)
