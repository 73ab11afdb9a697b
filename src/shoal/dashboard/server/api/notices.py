"""What somebody should hear of, and how the objectives stand."""

from weakref import WeakKeyDictionary

from shoal.dashboard.notices.kept import notices
from shoal.dashboard.notices.standing import Objectives, Standing
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Asked, Route
from shoal.dashboard.store.reading import Database

_READ = WeakKeyDictionary[Database, Standing]()
"""What was read of each run that is open, so that who asks again has only what came since read."""


class Wanted(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which notices."""

    service: str = ""
    rule: str = ""
    going: bool = False
    """Only those that have not ended."""
    limit: int = 200


async def noticed(desk: Desk, asked: Wanted) -> object:
    """List notices: those that go on first, then the latest."""
    return await desk.read(
        asked.run,
        lambda file: notices(file, service=asked.service, rule=asked.rule, going=asked.going, limit=asked.limit),
    )


async def standing(desk: Desk, asked: Asked) -> object:
    """List objectives, those with the least budget left first; of a past run, as they stood at its end."""
    return await desk.read(asked.run, _standing)


def _standing(database: Database) -> Objectives:
    return _READ.setdefault(database, Standing()).read(database)


ROUTES = (
    Route(method="GET", path="/api/notices", asked=Wanted, answer=noticed),
    Route(method="GET", path="/api/slo", asked=Asked, answer=standing),
)
