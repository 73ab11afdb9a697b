"""What services keep."""

import msgspec

from shoal.dashboard.live import data
from shoal.dashboard.live.data import Question
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Asked, Route, Window
from shoal.dashboard.server.recorded import recorded
from shoal.dashboard.store.reading import Database, operations


class One(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One service."""

    service: str


class Statements(Window, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The statements of one service in a time."""

    service: str


class Asking(Question, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question to one service's store."""

    service: str


class Emptying(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One service, and its name once more, since nothing of it comes back."""

    service: str
    confirm: str


async def listed(desk: Desk, _: Asked) -> object:
    """List the services that keep anything."""
    return {"items": data.keeping(await desk.live.system())}


async def statements(desk: Desk, asked: Statements) -> object:
    """List what a service asked its stores, what took longest in all first."""
    found = await recorded(
        desk,
        asked.run,
        lambda file: operations(file, service=asked.service, since=asked.since or None, until=asked.until or None),
    )
    stores = await recorded(desk, asked.run, lambda file: stored(file, asked.service))
    items = [one for one in (found.items if found else ()) if one.name in (stores or ())]
    return {"items": sorted(items, key=lambda one: -one.mean * one.count)}


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


def stored(file: Database, service: str) -> set[str]:
    """Name what a service asked of its stores, as its spans are named."""
    return {name for (name,) in file.ask("SELECT name FROM edges WHERE kind = 'store' AND source = ?", (service,))}


ROUTES = (
    Route(method="GET", path="/api/data", asked=Asked, answer=listed),
    Route(method="GET", path="/api/data/{service}/statements", asked=Statements, answer=statements),
    Route(method="GET", path="/api/data/{service}", asked=One, answer=shown),
    Route(method="POST", path="/api/data/{service}/ask", asked=Asking, answer=ask, does="ask store", told=("service",)),
    Route(
        method="POST",
        path="/api/data/{service}/reset",
        asked=Emptying,
        answer=reset,
        does="empty service",
        told=("service",),
    ),
)
