"""What services keep."""

import msgspec

from shoal.dashboard.live import data
from shoal.dashboard.live.data import Question
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Asked, Route


class One(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One service."""

    service: str


class Asking(Question, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question to one service's store."""

    service: str


class Emptying(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One service, and its name once more, since nothing of it comes back."""

    service: str
    confirm: str


async def shown(desk: Desk, asked: One) -> object:
    """Return what a service keeps."""
    return await data.shown(desk.live, asked.service)


async def ask(desk: Desk, asked: Asking) -> object:
    """Run SQL that changes nothing."""
    return await data.asked(desk.live, asked.service, Question(sql=asked.sql, rows=asked.rows))


async def reset(desk: Desk, asked: Emptying) -> object:
    """Empty the database of a service, and start it anew."""
    data.require_confirmed(asked.service, asked.confirm)
    return await data.reset(desk.live, asked.service)


ROUTES = (
    Route(method="GET", path="/api/data/{service}", asked=One, answer=shown),
    Route(method="POST", path="/api/data/{service}/ask", asked=Asking, answer=ask),
    Route(method="POST", path="/api/data/{service}/reset", asked=Emptying, answer=reset),
)
