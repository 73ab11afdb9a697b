"""What a running system can be asked for, by name: second versions, the strangling, and single processes."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from shoal.local import control
from shoal.local.canary import Canaries, Hold, Start
from shoal.local.processes import Processes
from shoal.local.site import Site
from shoal.local.strangling import Strangling
from shoal.local.unit import Unit


class Operations:
    """Takes wishes from `open` to `close`."""

    def __init__(self, hold: Hold) -> None:
        self._canaries, self._strangling, self._processes = Canaries(hold), Strangling(hold), Processes(hold)
        self._server: asyncio.Server | None = None

    @property
    def units(self) -> list[Unit]:
        """Processes that were asked for."""
        return [*self._canaries.units, *self._strangling.units]

    async def open(self, runtime: Path) -> None:
        """Take wishes on the socket of this run."""
        self._canaries.open()
        self._server = await control.serve(
            control.socket_of(runtime),
            {
                "canary.start": self._start,
                "canary.weigh": self._weigh,
                "canary.promote": self._promote,
                "canary.abort": self._abort,
                "strangle.status": self._strangling.status,
                "strangle.set": self._strangling.set,
                **self._processes.wishes,
            },
        )
        await self._strangling.open()

    async def close(self) -> None:
        """Take no more wishes, and end what was asked for."""
        if self._server is not None:
            self._server.close()
        await self._canaries.stop()
        await self._strangling.close()

    def follow(self, site: Site) -> None:
        """Start processes from now on as another plan says."""
        self._canaries.follow(site)

    async def _start(self, values: Mapping[str, Any]) -> object:
        return await self._canaries.start(msgspec.convert(values, Start))

    async def _weigh(self, values: Mapping[str, Any]) -> object:
        return await self._canaries.weigh(str(values["service"]), float(values["weight"]))

    async def _promote(self, values: Mapping[str, Any]) -> object:
        return await self._canaries.promote(str(values["service"]))

    async def _abort(self, values: Mapping[str, Any]) -> object:
        return await self._canaries.abort(str(values["service"]))
