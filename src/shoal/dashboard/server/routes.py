"""The table of everything that can be asked for: a new topic is a file in `api/` and a line here."""

from typing import Any

from shoal.dashboard.server.api import resources, runs, stream
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Route

TOPICS: tuple[tuple[Route[Desk, Any], ...], ...] = (
    resources.ROUTES,
    runs.ROUTES,
    stream.ROUTES,
)
