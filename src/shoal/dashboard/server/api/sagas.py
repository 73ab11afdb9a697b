"""Sagas of the running system."""

from typing import Annotated

import msgspec

from shoal.dashboard.live import sagas
from shoal.dashboard.live.sagas import Wish
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import LIMIT, Asked, Route


class Listing(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which sagas."""

    service: str = ""
    state: tuple[str, ...] = ()
    limit: Annotated[int, msgspec.Meta(ge=1, le=LIMIT)] = sagas.PAGE
    """Most sagas."""


class One(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One saga, by its id or key."""

    id: str
    service: str = ""


async def listed(desk: Desk, asked: Listing) -> object:
    """Count sagas by state, and list them."""
    if desk.live.run() is None:
        return {"live": False, "counts": {}, "items": [], "kinds": sagas.kinds(await desk.live.system())}
    return {"live": True, **await sagas.listed(await desk.live.engines(), asked.state, asked.service, asked.limit)}


async def one(desk: Desk, asked: One) -> object:
    """Return one saga with every attempt."""
    return await sagas.one(await desk.live.engines(), asked.id, asked.service)


async def retry(desk: Desk, wish: Wish) -> object:
    """Let a parked saga go on."""
    return await sagas.retry(await desk.live.engines(), wish)


async def compensate(desk: Desk, wish: Wish) -> object:
    """Undo a saga."""
    return await sagas.compensate(await desk.live.engines(), wish)


ROUTES = (
    Route(method="GET", path="/api/sagas", asked=Listing, answer=listed),
    Route(method="GET", path="/api/saga", asked=One, answer=one),
    Route(method="POST", path="/api/sagas/retry", asked=Wish, answer=retry, does="retry saga", told=("id", "service")),
    Route(
        method="POST",
        path="/api/sagas/compensate",
        asked=Wish,
        answer=compensate,
        does="compensate saga",
        told=("id", "service", "force"),
    ),
)
