"""What the routes work on: the project, its runs as they were recorded, and what changes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from shoal.dashboard.live.running import Live
from shoal.dashboard.server import looks
from shoal.dashboard.server.hub import Hub
from shoal.dashboard.store.library import Library
from shoal.dashboard.store.reading.database import Database, nothing
from shoal.errors import Problem
from shoal.local.state import RunState, read_state
from shoal.operating.where import Project

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One project.

    Args:
        root: Folder of the project.
        library: Its recorded runs.
        hub: Tells the pages what changes.
        system: ``module:attribute`` of its declaration; empty when it is to be found in ``pyproject.toml``.
    """

    root: Path
    library: Library
    hub: Hub = field(default_factory=Hub)
    system: str = ""
    live: Live = field(init=False)
    """Its declaration, and what runs of it."""

    def __post_init__(self) -> None:
        """Say where the declaration is, which is read when it is first asked for, and what is looked at."""
        object.__setattr__(self, "live", Live(where=Project(root=self.root, system=self.system)))
        self.hub.watch(looks.telemetry(self.library))
        self.hub.watch(looks.noticed(self.library))
        self.hub.watch(looks.acted(self.library))
        self.hub.watch(looks.processes(self.root))

    def state(self) -> RunState | None:
        """Read what runs now, if anything ever ran."""
        return read_state(self.root)

    async def read(self, run: int, ask: Callable[[Database], T]) -> T:
        """Ask the recorded run of that number, 0 for the newest, away from the event loop.

        Before anything is recorded the newest is one in which nothing happened.

        Raises:
            Problem: There is no run of that number (404).
        """
        return await asyncio.to_thread(self._read, run, ask)

    def _read(self, run: int, ask: Callable[[Database], T]) -> T:
        try:
            found = self.library.reader(run)
        except Problem:
            if run:
                raise
            with nothing() as found:
                return ask(found)
        return ask(found)
