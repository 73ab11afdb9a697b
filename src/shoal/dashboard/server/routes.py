"""The table of everything that can be asked for: a new topic is a file in `api/` and a line here."""

from typing import Any

from shoal.dashboard.server.api import data, events, explorer, gateway, mail, resources, runs, sagas, stream, topology
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Route

TOPICS: tuple[tuple[Route[Desk, Any], ...], ...] = (
    data.ROUTES,
    events.ROUTES,
    explorer.ROUTES,
    gateway.ROUTES,
    mail.ROUTES,
    resources.ROUTES,
    runs.ROUTES,
    sagas.ROUTES,
    stream.ROUTES,
    topology.ROUTES,
)
