"""Ask the recorded run that a page shows; where nothing was recorded there is nothing to say, and nothing is wrong."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

from shoal.dashboard.server.desk import Desk
from shoal.dashboard.store.reading import Database
from shoal.errors import Problem

T = TypeVar("T")


async def recorded(desk: Desk, run: int, ask: Callable[[Database], T]) -> T | None:
    """Ask the run of that number; None where there is none."""
    try:
        return await desk.read(run, ask)
    except Problem as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return None
        raise
