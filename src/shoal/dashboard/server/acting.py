"""What a page does is noted, whatever becomes of it."""

import asyncio
from typing import Any

import msgspec

from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Route
from shoal.dashboard.store import actions, runs


async def answered(desk: Desk, route: Route[Desk, Any], asked: Any) -> object:
    """Answer what was asked, and note it where the route does something."""
    if not route.does or getattr(asked, "dry", False):
        return await route.answer(desk, asked)
    file = await asyncio.to_thread(actions.place, runs.folder_of(desk.root))
    noted: actions.Action | None = None
    try:
        with actions.acting(
            None, "page", route.does, actions.object_of(msgspec.to_builtins(asked), route.told)
        ) as noted:
            return await route.answer(desk, asked)
    finally:
        if file is not None and noted is not None:
            await asyncio.to_thread(actions.note, file, noted)
