"""Do several things at once; the first failure ends the others and is raised as it is."""

import asyncio
from collections.abc import Awaitable


async def together(*work: Awaitable[object]) -> None:
    """Await everything at once.

    When one fails, the others are cancelled and waited for, and its error is raised, not a group of errors.
    """
    tasks = [asyncio.ensure_future(each) for each in work]
    if not tasks:
        return
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
