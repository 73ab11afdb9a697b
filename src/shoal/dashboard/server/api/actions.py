"""Who did what to the running system."""

from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Route
from shoal.dashboard.store.reading.actions import ActionQuery, actions


class ActionsAsked(ActionQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of actions."""

    run: int = 0


async def listed(desk: Desk, asked: ActionsAsked) -> object:
    """Find a page of actions, latest first."""
    return await desk.read(asked.run, lambda database: actions(database, asked))


ROUTES = (Route(method="GET", path="/api/actions", asked=ActionsAsked, answer=listed),)
