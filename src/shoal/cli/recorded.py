"""What runs recorded, for the commands that show it."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from shoal.cli.durations import seconds

if TYPE_CHECKING:
    from shoal.cli.program import Global
    from shoal.dashboard.store.reading import Database

F = TypeVar("F", bound=Callable[..., Any])


def run_option(command: F) -> F:
    """Add ``--run N``, which chooses a recorded run; 0 is the newest."""
    return click.option("--run", type=click.IntRange(1), help="Number of a recorded run [default: the newest].")(
        command
    )


def recorded(context: "Global", number: int | None) -> "Database":
    """Open a recorded run of the project.

    Raises:
        HostError: There is none.
        Damaged: Its file is none of ours.
    """
    from shoal.dashboard.store import runs
    from shoal.dashboard.store.reading import database

    return database(runs.find(runs.folder_of(context.root), number or 0))


def since(text: str) -> float | None:
    """Turn ``5m`` into the time that was then, in milliseconds since 1970; None when nothing is said."""
    return (time.time() - seconds(text)) * 1000 if text else None


def took(milliseconds: float | None) -> str:
    """Write a duration for people."""
    if milliseconds is None:
        return "-"
    if milliseconds >= 10_000:
        return f"{milliseconds / 1000:.1f} s"
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.2f} s"
    return f"{milliseconds:.1f} ms" if milliseconds >= 10 else f"{milliseconds:.2f} ms"


def clock(milliseconds: float, form: str = "%H:%M:%S.%f") -> str:
    """Write a time of day, in the zone of this machine, to the millisecond."""
    text = datetime.fromtimestamp(milliseconds / 1000).astimezone().strftime(form)
    return text[:-3] if form.endswith("%f") else text


def size(count: float) -> str:
    """Write a number of bytes."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
