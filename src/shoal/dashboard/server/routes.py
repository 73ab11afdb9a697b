"""The table of everything that can be asked for: a new topic is a file in `api/` and a line here."""

from typing import Any

from shoal.dashboard.server.api import (
    actions,
    code,
    data,
    events,
    explorer,
    gateway,
    logs,
    mail,
    notices,
    resources,
    runs,
    sagas,
    services,
    signals,
    stream,
    topology,
    traces,
)
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Route

TOPICS: tuple[tuple[Route[Desk, Any], ...], ...] = (
    actions.ROUTES,
    code.ROUTES,
    data.ROUTES,
    events.ROUTES,
    explorer.ROUTES,
    gateway.ROUTES,
    logs.ROUTES,
    mail.ROUTES,
    notices.ROUTES,
    resources.ROUTES,
    runs.ROUTES,
    sagas.ROUTES,
    services.ROUTES,
    signals.ROUTES,
    stream.ROUTES,
    topology.ROUTES,
    traces.ROUTES,
)
