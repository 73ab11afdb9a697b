"""What a run stands on: the lock, the guardian, the fork server and the logs."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shoal.local import forks, layout, lock
from shoal.local.forks import ForkServer
from shoal.local.guardian import Guardian, sweep
from shoal.local.host import require_platform
from shoal.local.layout import Layout, torn
from shoal.local.lock import Lock
from shoal.local.logs import Log
from shoal.local.state import copied_from

PRELOADED = (
    "shoal", "shoal.runtime.process", "shoal.runtime.mesh", "shoal.drivers.postgres", "shoal.drivers.nats", "uvicorn",
    "uvicorn.protocols.http.httptools_impl", "joserfc.jwt",
)  # fmt: skip
"""Ours and our libraries'; never an author's module, which each process must read fresh."""


@dataclass(slots=True, kw_only=True)
class Ground:
    """Make it with `take`, leave it with `leave`."""

    layout: Layout
    lock: Lock
    guardian: Guardian
    forks: ForkServer | None
    swept: tuple[int, ...] = ()
    """Processes that an earlier run had left behind."""
    logs: dict[str, Log] = field(default_factory=dict)

    def log(self, name: str) -> Log:
        """Return the log of a process; all its lives share it."""
        if name not in self.logs:
            self.logs[name] = Log(self.layout.logs / f"{name}.log")
        return self.logs[name]

    def wipe(self) -> None:
        """Remove what engines and sandboxes kept; only while none of them runs."""
        layout.wipe(self.layout)
        layout.make(self.layout)

    async def leave(self) -> None:
        """End what is still watched and let the next supervisor in."""
        with contextlib.suppress(OSError):
            await asyncio.gather(self.guardian.close(), *([self.forks.close()] if self.forks else []))
        for log in self.logs.values():
            log.close()
        layout.clear(self.layout)
        self.lock.release()


async def take(root: Path, *, preload: Sequence[str] = PRELOADED) -> Ground:
    """Become the one supervisor of the project at `root`, and clear away what an earlier one left.

    The fork server begins to import `preload` at once, so take the ground before reading the system.

    Args:
        root: Folder of the project.
        preload: Modules of the fork server.

    Raises:
        HostError: Another supervisor runs, the platform has no engines, or the folders cannot be made.
    """
    require_platform()
    place = layout.layout_of(root)
    layout.make(place)
    held = lock.acquire(place.lock)
    try:
        _begin_anew(place)
        server = ForkServer.start(preload) if forks.supported() else None
        swept = await sweep(place.guard)
        guardian = await Guardian.start(place.guard)
    except BaseException:
        held.release()
        raise
    return Ground(layout=place, lock=held, guardian=guardian, forks=server, swept=swept)


def _begin_anew(place: Layout) -> None:
    """Leave out of a copy what the original's engines were writing while it was made: it is torn."""
    if copied_from(place.root) is not None and torn(place):
        layout.wipe(place)
        layout.make(place)
