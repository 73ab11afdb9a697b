"""The author's code at a place."""

from shoal.dashboard.live import code
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Asked, Route


class Place(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place in the author's code."""

    at: str
    """``path:line``, as declarations and spans name it."""


async def shown(desk: Desk, asked: Place) -> object:
    """Return the lines around it."""
    return await code.excerpt(desk.live, asked.at)


ROUTES = (Route(method="GET", path="/api/code", asked=Place, answer=shown),)
