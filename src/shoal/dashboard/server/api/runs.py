"""The recorded runs of the project."""

import asyncio

from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Asked, Route


async def listed(desk: Desk, _: Asked) -> object:
    """List the recorded runs, newest first."""
    return await asyncio.to_thread(desk.library.runs)


ROUTES = (Route(method="GET", path="/api/runs", asked=Asked, answer=listed),)
