"""The gateway, faults on purpose, second versions and paths of old applications."""

from shoal.dashboard.live import gateway
from shoal.dashboard.live.gateway import CanaryWish, Clearing, Injection, TurnWish
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Asked, Route


async def shown(desk: Desk, _: Asked) -> object:
    """Return routes, consumers, limits and what moves."""
    return await gateway.shown(desk.live)


async def inject(desk: Desk, wish: Injection) -> object:
    """Make calls late or fail."""
    return await gateway.inject(desk.live, wish)


async def clear(desk: Desk, wish: Clearing) -> object:
    """End faults."""
    return await gateway.clear(desk.live, wish)


async def canary(desk: Desk, wish: CanaryWish) -> object:
    """Weigh, promote or abort a second version."""
    return await gateway.canary(desk.live, wish)


async def turn(desk: Desk, wish: TurnWish) -> object:
    """Move a path of an old application."""
    return await gateway.turn(desk.live, wish)


ROUTES = (
    Route(method="GET", path="/api/gateway", asked=Asked, answer=shown),
    Route(
        method="POST",
        path="/api/gateway/fault",
        asked=Injection,
        answer=inject,
        does="inject fault",
        told=("edge", "delay", "abort", "percent"),
    ),
    Route(method="POST", path="/api/gateway/clear", asked=Clearing, answer=clear, does="clear faults", told=("edge",)),
    Route(
        method="POST",
        path="/api/gateway/canary",
        asked=CanaryWish,
        answer=canary,
        does="move canary",
        told=("do", "service", "weight"),
    ),
    Route(
        method="POST",
        path="/api/gateway/turn",
        asked=TurnWish,
        answer=turn,
        does="turn path",
        told=("route", "state", "weight", "sample"),
    ),
)
