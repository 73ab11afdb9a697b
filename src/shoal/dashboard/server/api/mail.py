"""Mails that the stand-in for a mail server received."""

import asyncio

from shoal.dashboard.live import mail
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Asked, Route


class Finding(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which mails."""

    find: str = ""
    limit: int = 200


async def listed(desk: Desk, asked: Finding) -> object:
    """List mails, the latest first."""
    return await asyncio.to_thread(mail.listed, desk.live, asked.find, min(asked.limit, 1000))


ROUTES = (Route(method="GET", path="/api/mail", asked=Finding, answer=listed),)
