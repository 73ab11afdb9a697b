"""The explorer of operations."""

import msgspec

from shoal.dashboard.live import calls
from shoal.dashboard.live.calls import Wish
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Asked, Route


class Coding(Wish, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request that is to become code, and the status that it got."""

    status: int = 200


async def listed(desk: Desk, _: Asked) -> object:
    """List every operation with what its form is made of."""
    run = desk.live.run()
    return {
        "live": run is not None,
        "url": run.gateway if run is not None else "",
        "items": calls.operations(await desk.live.system()),
    }


async def call(desk: Desk, wish: Wish) -> object:
    """Make a request."""
    return await calls.call(desk.live, wish)


async def code(desk: Desk, wish: Coding) -> object:
    """Write a request as a command and as a test."""
    plain = msgspec.structs.asdict(wish)
    status = plain.pop("status")
    return await calls.code(desk.live, Wish(**plain), status)


ROUTES = (
    Route(method="GET", path="/api/explorer", asked=Asked, answer=listed),
    Route(
        method="POST",
        path="/api/explorer/call",
        asked=Wish,
        answer=call,
        does="call operation",
        told=("service", "operation", "caller", "subject"),
    ),
    Route(method="POST", path="/api/explorer/code", asked=Coding, answer=code),
)
