"""Logs: the list, newest first."""

from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Route
from shoal.dashboard.store.reading import LogQuery, logs


class LogsAsked(LogQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of lines."""

    run: int = 0


async def listed(desk: Desk, asked: LogsAsked) -> object:
    """Find a page of lines."""
    return await desk.read(asked.run, lambda database: logs(database, asked))


ROUTES = (Route(method="GET", path="/api/logs", asked=LogsAsked, answer=listed),)
