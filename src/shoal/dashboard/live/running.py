"""The system that the dashboard belongs to: its declaration, and its run while there is one."""

import asyncio
from dataclasses import dataclass, field

from shoal import model
from shoal.errors import HostError
from shoal.local.state import RunState, read_state
from shoal.operating import engines, project
from shoal.operating.engines import Engines
from shoal.operating.running import alive
from shoal.operating.where import Where
from shoal.service.system import System

Mark = tuple[tuple[str, int, str], ...]
"""The processes of a run's services: another one after each reload."""


@dataclass(slots=True)
class Live:
    """Reads the declaration when it is first needed, and again when services were replaced by a newer version."""

    where: Where
    _mark: Mark | None = None
    _declared: System | None = None
    _described: model.System | None = None
    _engines: Engines | None = None
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    def run(self) -> RunState | None:
        """Return what runs; None when nothing does."""
        state = read_state(self.where.root)
        return state if state is not None and alive(state) else None

    def running(self) -> RunState:
        """Return what runs, or raise `HostError`."""
        found = self.run()
        if found is None:
            raise HostError(f"nothing runs in {self.where.root}", hint="start it with `shoal run`")
        return found

    async def system(self) -> model.System:
        """Return what is declared, which is nothing where there is no system yet.

        Raises:
            DeclarationError: It cannot be imported.
        """
        async with self._busy:
            if self._described is None and not await asyncio.to_thread(project.present, self.where):
                return model.System(name="nothing", services=())
            await asyncio.to_thread(self._read)
            assert self._described is not None, "it was read just now"  # noqa: S101
            return self._described

    async def engines(self) -> Engines:
        """Return the engines of the run; `HostError` when nothing runs."""
        self.running()
        async with self._busy:
            await asyncio.to_thread(self._read)
            if self._engines is None:
                self._engines = await asyncio.to_thread(engines.engines, self.where)
            return self._engines

    def _read(self) -> None:
        mark = _mark(self.run())
        if self._described is not None and mark == self._mark:
            return
        if self._described is not None:
            project.forget(self.where, self._described)
        self._engines, self._declared = None, project.declared(self.where)
        self._described = project.read(self.where)
        self._mark = mark


def _mark(run: RunState | None) -> Mark:
    return tuple((p.name, p.pid, p.born) for p in run.processes if p.kind == "service") if run is not None else ()
