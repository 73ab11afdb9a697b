"""Logs of a recorded run, for ``shoal logs``."""

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import click
import msgspec

from shoal.cli.lines import Painter
from shoal.cli.output import colourful, escaped
from shoal.cli.recorded import recorded, since
from shoal.errors import ShoalError

if TYPE_CHECKING:
    from shoal.cli.program import Global
    from shoal.dashboard.store.reading import Database, LogLine

MOST = 10_000
"""Lines that are shown: the newest ones."""

_PAGE = 1000


def show_recorded(context: "Global", run: int | None, services: tuple[str, ...], options: Mapping[str, str]) -> int:
    """Show the lines of a run, oldest first, and return how many there were.

    Args:
        context: The project.
        run: Number of the run; the newest, if there is one, when None.
        services: Services or replicas; all when empty.
        options: ``level``, ``trace``, ``since`` and ``output`` of the command.
    """
    try:
        database = recorded(context, run)
    except ShoalError:
        if run is not None:
            raise
        return 0
    with database:
        found = list(_found(database, services, options))
    painter, colours = Painter(sys.stdout), colourful(sys.stdout)
    for one in reversed(found):
        text = _text(one)
        click.echo(escaped(text) if options["output"] == "json" else painter.paint(one.replica, text), color=colours)
    return len(found)


def _found(database: "Database", services: tuple[str, ...], options: Mapping[str, str]) -> Iterator["LogLine"]:
    from shoal.dashboard.store.reading import LogQuery, logs

    cursor: str | None = ""
    count = 0
    while cursor is not None and count < MOST:
        page = logs(
            database,
            LogQuery(
                services=list(services), level="" if options["level"] == "debug" else options["level"],
                trace_id=options["trace"], since=since(options["since"]), cursor=cursor, limit=_PAGE,
            ),
        )  # fmt: skip
        yield from page.items
        count, cursor = count + len(page.items), page.next


def _text(one: "LogLine") -> str:
    """Write a line as services write theirs."""
    own = {"time": one.at / 1000, "level": one.level, "message": one.message, "service": one.service}
    ids = {"trace_id": one.trace_id} if one.trace_id else {}
    more = msgspec.json.decode(one.attributes, type=dict[str, object])
    return msgspec.json.encode({**own, **ids, **{k: v for k, v in more.items() if k not in own}}).decode()
