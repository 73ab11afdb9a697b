"""The files of the latest runs, ``.shoal/telemetry/run-000001.db``: history, so `shoal run --fresh` keeps them."""

import contextlib
import fcntl
import os
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from shoal.dashboard.store import schema
from shoal.errors import HostError, ShoalError
from shoal.local import reaper
from shoal.local.host import private_directory
from shoal.local.layout import layout_of

KEPT = 10
"""Runs that are kept."""

SOURCE = "source"
"""Fact of a run that was taken in: the name of its file."""

_NAME = re.compile(r"run-(\d{6})\.db")


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run, as its file tells it; times are milliseconds since 1970."""

    number: int
    system: str
    started: float
    ended: float | None
    """None while it goes on; of one that was killed, when it was last heard of."""
    live: bool
    spans: int
    logs: int
    errors: int
    """Traces with an error."""
    size_bytes: int
    source: str = ""
    """Name of the file that it was taken in from; empty for one that was recorded here."""


class Runs(msgspec.Struct, frozen=True, kw_only=True):
    """All runs, newest first."""

    items: list[Run]


def folder_of(root: Path) -> Path:
    """Locate the runs of the project at `root`."""
    return layout_of(root).telemetry


def numbers(folder: Path) -> list[int]:
    """List the numbers of the runs in a folder, newest first."""
    with contextlib.suppress(FileNotFoundError):
        return sorted(filter(None, map(number_of, folder.iterdir())), reverse=True)
    return []


def file_of(folder: Path, number: int) -> Path:
    """Locate the file of a run."""
    return folder / f"run-{number:06}.db"


def number_of(file: Path) -> int:
    """Read the number of a run off the name of its file; 0 for another file."""
    match = _NAME.fullmatch(file.name)
    return int(match[1]) if match else 0


def find(folder: Path, number: int = 0) -> Path:
    """Locate a run; when `number` is 0 the newest that was recorded here.

    Raises:
        HostError: There is none.
    """
    known = numbers(folder)
    if not known:
        raise HostError(f"there is no telemetry in {folder}", hint="start the system with `shoal run`")
    if number and number not in known:
        raise HostError(
            f"there is no run {number} in {folder}", hint=f"there are: {', '.join(map(str, reversed(known)))}"
        )
    return file_of(folder, number or next((one for one in known if not _is_foreign(folder, one)), known[0]))


def _is_foreign(folder: Path, number: int) -> bool:
    """Say whether a run was taken in from a file, or cannot be read."""
    try:
        return SOURCE in facts(file_of(folder, number))
    except (ShoalError, sqlite3.Error):
        return True


def begin(folder: Path, key: str) -> tuple[int, Path]:
    """Find the file that a run with this key goes on with, or make the next one; forget the oldest runs.

    Processes that begin at the same time get a file each, and a run that is still written stays.

    Args:
        folder: Where runs are.
        key: Tells runs apart: a collector that is started again goes on where it was.

    Raises:
        Damaged: No file can be made, as on a full disk.
    """
    with held(folder):
        known = numbers(folder)
        for number in known:
            with contextlib.suppress(ShoalError, sqlite3.Error):
                if facts(file_of(folder, number)).get("key") == key:
                    return number, file_of(folder, number)
        for number in known[KEPT - 1 :]:
            if not _is_written(folder, number):
                remove(folder, number)
        number = next(iter(known), 0) + 1
        with contextlib.closing(schema.make(file_of(folder, number))) as connection:
            connection.executemany("INSERT INTO meta VALUES (?, ?)", own_facts("", key).items())
    return number, file_of(folder, number)


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep others from giving out numbers of runs within the block; who comes meanwhile waits. Not to be nested."""
    private_directory(folder)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_written(folder: Path, number: int) -> bool:
    """Say whether a process that lives writes a run."""
    with contextlib.suppress(ShoalError, sqlite3.Error, ValueError):
        return is_live(facts(file_of(folder, number)))
    return False


def is_live(told: Mapping[str, str]) -> bool:
    """Say by the facts of a run whether the process that writes it lives."""
    return not told.get("ended") and bool(told.get("born")) and reaper.born(int(told["pid"])) == told["born"]


def remove(folder: Path, number: int) -> None:
    """Remove a run; one that somebody reads stays readable for them."""
    file = file_of(folder, number)
    for path in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))):
        path.unlink(missing_ok=True)


def own_facts(system: str, key: str) -> dict[str, str]:
    """Say of a run that this process writes what its file should say of it."""
    pid = os.getpid()
    return {
        "system": system,
        "key": key,
        "started": str(time.time()),
        "pid": str(pid),
        "born": reaper.born(pid),
        "ended": "",
    }


def facts(file: Path) -> dict[str, str]:
    """Read what a run's file says of the run; raises `Damaged` for what is no such file."""
    with contextlib.closing(schema.opened(file)) as connection:
        return dict(connection.execute("SELECT key, value FROM meta"))


def runs(folder: Path) -> Runs:
    """List all runs, newest first; a damaged file is left out."""
    found = []
    for number in numbers(folder):
        with contextlib.suppress(ShoalError, sqlite3.Error, ValueError, OSError):
            found.append(describe(folder, number))
    return Runs(items=found)


def describe(folder: Path, number: int) -> Run:
    """Describe one run; raises `Damaged` for a file that is none of ours."""
    file = file_of(folder, number)
    with contextlib.closing(schema.opened(file)) as connection:
        told = dict(connection.execute("SELECT key, value FROM meta"))
        ask = "SELECT coalesce(sum(spans), 0), coalesce(sum(errors > 0), 0), max(started + took) FROM traces"
        spans, errors, last = connection.execute(ask).fetchone()
        logs, written = connection.execute("SELECT count(*), max(at) FROM logs").fetchone()
    live = is_live(told)
    started = float(told.get("started") or 0) * 1000
    heard = max(last or 0, written or 0) / 1000 or started
    ended = float(told["ended"]) * 1000 if told.get("ended") else heard
    return Run(
        number=number, system=told.get("system", ""), started=started, ended=None if live else ended, live=live,
        spans=spans, logs=logs, errors=errors, size_bytes=file.stat().st_size,
        source=told.get(SOURCE, ""),
    )  # fmt: skip
