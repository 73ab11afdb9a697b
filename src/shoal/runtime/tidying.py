"""Let go of old marks and answers in the store of a service that has no relay, which would do it on the side."""

import asyncio
import logging
import random

from shoal.drivers.base import Store
from shoal.errors import EngineError
from shoal.runtime.relay import TIDY_SECONDS, WINDOW
from shoal.runtime.side import Around, OneTask, Side

_log = logging.getLogger("shoal.tidying")


def tidying_side(around: Around) -> Side | None:
    """Make the side where nothing is relayed."""
    if around.service.publishes and around.broker is not None:
        return None
    return Tidying(around.store)


class Tidying(OneTask):
    """A `Side` that tidies at the start and every hour."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def run(self) -> None:
        """Tidy at the start and every hour."""
        while True:
            try:
                async with self._store.outbox() as lease:
                    await lease.tidy(WINDOW)
            except EngineError as error:
                _log.warning("the store was not tidied, trying again later: %s", error)
            await asyncio.sleep(TIDY_SECONDS * random.uniform(0.75, 1.25))  # noqa: S311 - spreads load
