"""The side of a service that removes the objects that do not stay."""

import asyncio
import logging
from contextlib import suppress

from shoal.drivers.base import Store
from shoal.drivers.base.objects import ObjectStore
from shoal.errors import EngineError, ShoalError
from shoal.runtime.objects import loose
from shoal.runtime.side import Around, OneTask
from shoal.service.context import Clock

LOOK = 60.0
"""Seconds between looks at least: nobody waits for an object to be gone."""

_log = logging.getLogger("shoal.objects")


def objects_side(around: Around) -> "ObjectsSide | None":
    """Make the side of a service that has objects."""
    if around.objects is None:
        return None
    return ObjectsSide(around.store, around.objects, around.clock, around.loosened)


class ObjectsSide(OneTask):
    """A `Side`. Every replica looks, and each name is taken by one of them."""

    def __init__(self, store: Store, objects: ObjectStore, clock: Clock, stirred: asyncio.Event) -> None:
        self._store, self._objects, self._clock, self._stirred = store, objects, clock, stirred

    async def run(self) -> None:
        """Look when something was let go of, and every minute; what it does not end is done by whoever looks next."""
        while True:
            self._stirred.clear()
            try:
                while await self.remove_some() == loose.SOME:
                    pass
            except ShoalError as error:
                _log.warning("objects were not removed, trying again later: %s", error)
            except Exception:  # noqa: BLE001 - the loop must go on, whatever a driver raises
                _log.exception("objects were not removed, trying again later")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stirred.wait(), LOOK)

    async def remove_some(self) -> int:
        """Remove some whose time is over; return how many were found."""
        names = await loose.take_due(self._store, self._clock.now())
        gone: list[str] = []
        for name in names:
            try:
                await self._objects.delete(name)
                gone.append(name)
            except EngineError as error:
                _log.warning("object %s was not removed, trying again in ten minutes: %s", name, error)
        if gone:
            await loose.forget(self._store, gone)
        return len(names)
