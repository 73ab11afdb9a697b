"""What people did to a running system, in the file of its run: who, what, on what, when, and what became of it.

Whoever acts writes: the command line and the process of the pages. Nobody else writes this table, so that it needs no
place in the queue of telemetry.
"""

import contextlib
import os
import pwd
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from shoal.dashboard.store import runs
from shoal.dashboard.store.schema import Damaged, require
from shoal.errors import EngineError, HostError, Problem, ShoalError
from shoal.telemetry.masking import MASK

KEPT = 10_000
"""Actions of a run; the oldest go first."""

LONGEST = 300
"""Characters of one text."""

_WAIT = 10.0
"""Seconds for which a writer waits for the others."""


class Action(msgspec.Struct, kw_only=True):
    """One action; `at` is milliseconds since 1970, when it began."""

    at: float
    who: str
    """The user of this machine."""
    by: str
    """``page`` or ``shell``."""
    does: str
    on: str
    """What it was done to."""
    outcome: str = "done"
    """``done``, ``refused`` or ``failed``."""
    error: str = ""
    ms: float = 0.0


def object_of(given: Mapping[str, object], told: Sequence[str]) -> str:
    """Say what something is done to: those of the values that may be told, without what is empty."""
    found = [(name, given[name]) for name in told if given.get(name)]
    return " ".join(name if value is True else _word(value) for name, value in found)


def _word(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def place(folder: Path) -> Path | None:
    """Locate the file of the run that goes on; None when nothing is recorded."""
    with contextlib.suppress(ShoalError, sqlite3.Error, ValueError):
        file = runs.find(folder)
        if runs.is_live(runs.facts(file)):
            return file
    return None


@contextlib.contextmanager
def acting(file: Path | None, by: str, does: str, on: str) -> Iterator[Action]:
    """Note what is done in the block, and what becomes of it.

    Raises:
        HostError: It was done, but cannot be noted.
    """
    action = Action(at=time.time() * 1000, who=whoever(), by=by, does=does, on=on)
    began = time.perf_counter()
    try:
        yield action
    except BaseException as error:
        action.outcome = "refused" if isinstance(error, ShoalError) and not isinstance(error, HostError) else "failed"
        action.error = _spelled(error)
        raise
    finally:
        action.ms = round((time.perf_counter() - began) * 1000, 1)
        if file is not None:
            note(file, action)


def note(file: Path, action: Action) -> None:
    """Write an action into the file of a run; raises `HostError` when that fails."""
    on, error = (MASK.hide("", text)[:LONGEST] for text in (action.on, action.error))
    body = msgspec.json.encode(msgspec.structs.replace(action, on=on, error=error))
    try:
        with contextlib.closing(sqlite3.connect(file, timeout=_WAIT)) as connection, connection:
            require(connection, file)
            connection.execute("INSERT INTO actions VALUES (NULL, ?, ?)", (action.at, body))
            connection.execute("DELETE FROM actions WHERE n <= (SELECT max(n) FROM actions) - ?", (KEPT,))
    except (sqlite3.Error, Damaged) as failure:
        raise HostError(
            f"what was done cannot be noted in {file}: {failure}", hint="it was done nevertheless; look at the disk"
        ) from failure


def whoever() -> str:
    """Name the user of this process."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container has users without a name
        return str(os.getuid())


def _spelled(error: BaseException) -> str:
    """Say what went wrong; what an engine said of it is left out, since it may quote what it was given."""
    if isinstance(error, Problem):
        return error.detail or error.code
    said = error.message if isinstance(error, ShoalError) else type(error).__name__
    return said.partition(": ")[0] if isinstance(error, EngineError) or error.__cause__ is not None else said
