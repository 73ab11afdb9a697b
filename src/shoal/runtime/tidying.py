"""Let go of old marks and answers in the store of a service that has no relay, which would do it on the side."""

import asyncio
import logging
import random
from collections.abc import Mapping
from typing import Any

from shoal.drivers.base import Store
from shoal.errors import EngineError
from shoal.runtime.relay import TIDY_SECONDS, WINDOW
from shoal.runtime.side import Around, Side

_log = logging.getLogger("shoal.tidying")


def tidying_side(around: Around) -> Side | None:
    """Make the side where nothing is relayed."""
    if around.service.publishes and around.broker is not None:
        return None
    return Tidying(around.store)


class Tidying:
    """A `Side` that tidies at the start and every hour."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._task: asyncio.Task[None] | None = None

    def compile(self, values: Mapping[Any, Any]) -> None:
        """Do nothing: there are no handlers."""

    def start(self) -> None:
        """Begin in the background."""
        self._task = asyncio.create_task(self._run())

    def leave(self) -> None:
        """Do nothing: it may be cut off at any point."""

    async def stop(self, drain: float) -> None:  # noqa: ARG002 - the contract's parameter
        """End at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                async with self._store.outbox() as lease:
                    await lease.tidy(WINDOW)
            except EngineError as error:
                _log.warning("the store was not tidied, trying again later: %s", error)
            await asyncio.sleep(TIDY_SECONDS * random.uniform(0.75, 1.25))  # noqa: S311 - spreads load
