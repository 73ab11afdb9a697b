"""The replicas of one service: started side by side, replaced one after the other while requests flow."""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from shoal import files
from shoal.errors import EngineError, ShoalError
from shoal.local.engines.recipe import Addresses, Recipe
from shoal.local.environment import service_environment, telemetry
from shoal.local.forks import Program
from shoal.local.probe import ready
from shoal.local.process import Command, base_environment
from shoal.local.site import Site
from shoal.local.together import together
from shoal.local.unit import Job, Surroundings, Unit
from shoal.local.world import python_path
from shoal.mesh.endpoints import endpoints
from shoal.mesh.layout import Layout as MeshLayout
from shoal.mesh.layout import Pipe
from shoal.model import catalog
from shoal.model.plan import ServicePlan
from shoal.model.rollout import version_name

RUNTIME = "shoal.runtime"
_READY_WITHIN = 60.0  # migrations of a large database take their time
_DRAIN_MARGIN = 3.0


class Replicas:
    """Every replica of one service, or of a second version of it, behind the proxy."""

    def __init__(
        self,
        site: Site,
        mesh: MeshLayout,
        service: ServicePlan,
        around: Surroundings,
        *,
        version: str = "",
        code: Path | None = None,
    ) -> None:
        self.service, self._site, self._mesh, self._around = service, site, mesh, around
        self.code = code or site.layout.root
        """Folder from which the author's modules are imported, before any other; read at each start."""
        self._version = version
        self._label = version_name(service.name, version) if version else service.name
        self._sockets: dict[Unit, Pipe] = {}
        self._replacing = asyncio.Lock()
        self.units = [self._unit(slot) for slot in range(service.replicas)]
        self._publish(list(self._sockets.values()), self.service.zones)

    async def warm(self) -> None:
        """Fork every replica up to where it needs its engines."""
        await together(*(unit.warm() for unit in self.units))

    async def start(self, *, strict: bool) -> None:
        """Start every replica and keep it alive; with `strict`, raise the first failure."""
        await together(*(self._start(unit, strict=strict) for unit in self.units))

    async def reload(self) -> float:
        """Replace each replica by one with fresh code; return the seconds it took.

        A new one starts beside the old one, which serves until the new one is ready.

        Raises:
            EngineError: The new one failed; the old one still serves.
        """
        async with self._replacing:  # each change of a file may ask for it, and so may a promotion
            began = time.monotonic()
            for slot in range(len(self.units)):
                await self._replace(slot)
            return time.monotonic() - began

    async def become(self, code: Path) -> None:
        """Replace each replica by one with the modules in `code`: all of them, or none.

        Raises:
            EngineError: A new one failed. Those that were replaced before it have their former code again; the
                message names those that could not get it.
        """
        async with self._replacing:
            before, self.code = self.code, code
            replaced: list[int] = []
            try:
                for slot in range(len(self.units)):
                    await self._replace(slot)
                    replaced.append(slot)
            except BaseException as error:
                self.code = before
                self.follow(self._site, self.service)
                if isinstance(error, ShoalError | OSError):
                    raise await self._put_back(replaced, error) from error
                raise

    async def scale(self, count: int) -> None:
        """Run so many replicas from now on; requests flow to each as soon as it is ready, and no more to one that goes.

        Raises:
            EngineError: One could not start; those before it run.
        """
        async with self._replacing:
            while len(self.units) < count:
                fresh = self._unit(len(self.units))
                try:
                    await fresh.start()
                except BaseException:
                    self._sockets.pop(fresh)
                    raise
                fresh.keep()
                self.units.append(fresh)
                self._changed()
            while len(self.units) > count:
                old = self.units.pop()
                self._announce()
                await old.stop()
                self._sockets.pop(old)
                self._changed()

    async def _replace(self, slot: int) -> None:
        old, fresh = self.units[slot], self._unit(slot)
        try:
            await fresh.start()
        except BaseException:
            self._sockets.pop(fresh)
            old.hurry()
            raise
        fresh.keep()
        self.units[slot] = fresh
        self._announce()
        await old.stop()
        self._sockets.pop(old)
        self._around.reporter.changed(fresh.state)

    async def _put_back(self, slots: Sequence[int], cause: Exception) -> EngineError:
        """Replace these replicas again, and return what to tell of it."""
        back, stuck = [], []
        for slot in slots:
            try:
                await self._replace(slot)
            except (ShoalError, OSError):
                stuck.append(self.units[slot].state.name)
            else:
                back.append(self.units[slot].state.name)
        said = f"; {', '.join(back)} got the former code back" if back else ""
        said += f"; {', '.join(stuck)} could not get the former code back and keep the new code" if stuck else ""
        message, hint = (cause.message, cause.hint) if isinstance(cause, ShoalError) else (str(cause), "")
        return EngineError(f"{message}{said}", hint=hint or f"shoal logs {self.service.name}")

    def follow(self, site: Site, service: ServicePlan) -> None:
        """Start replicas from now on as another plan says."""
        self._site, self.service = site, service
        for unit in self.units:
            unit.follow(self._recipe(unit.state.name, self._sockets[unit]))

    async def stop(self) -> None:
        """Drain every replica."""
        await asyncio.gather(*(unit.stop() for unit in self.units), return_exceptions=True)

    async def _start(self, unit: Unit, *, strict: bool) -> None:
        try:
            await unit.start()
        except ShoalError as error:
            if strict:
                raise
            self._around.reporter.problem(unit.state.name, str(error))
        unit.keep()

    def _unit(self, slot: int) -> Unit:
        """Make the unit of a replica, on a socket that no other has."""
        taken = set(self._sockets.values())
        numbers = range(len(taken) + 1)
        pipe = next(p for n in numbers if (p := self._mesh.replica(self._label, n)) not in taken)
        name = "-".join(filter(None, (self.service.name, self._version, str(slot))))
        module = self.service.entry.partition(":")[0]
        job = Job(
            recipe=self._recipe(name, pipe),
            kind="service",
            service=self.service.name,
            program=Program(module=RUNTIME, warm=module),
        )
        unit = Unit(
            job, Surroundings(ground=self._around.ground, reporter=self._around.reporter, changed=self._changed)
        )
        self._sockets[unit] = pipe
        return unit

    def _recipe(self, name: str, pipe: Pipe) -> Recipe:
        return replica_recipe(self._site, self.service, name, pipe.path, self.code)

    def _changed(self) -> None:
        self._announce()
        self._around.changed()

    def _announce(self) -> None:
        """Let the proxy use the replicas that are ready; all of them while none is, so that the first one counts."""
        units = getattr(self, "units", [])
        answering = [slot for slot, unit in enumerate(units) if unit.ready] or list(range(len(units)))
        known = self.service.zones
        zones = [known[slot % len(known)] for slot in answering] if known else []
        self._publish([self._sockets[units[slot]] for slot in answering], zones)

    def _publish(self, sockets: list[Pipe], zones: Sequence[str]) -> None:
        near = self.service.zones[0] if self.service.near and self.service.zones else ""
        files.write(Path(self._mesh.root), [endpoints(self._label, sockets, zones, near=near)])


def engines_of(service: ServicePlan) -> tuple[str, ...]:
    """Name the engines that a service needs before it starts; a cache it can do without."""
    needed = (service.store, service.broker, service.objects)
    return tuple(catalog.server(part.engine) for part in needed if part is not None)


def replica_recipe(site: Site, service: ServicePlan, name: str, socket: str, code: Path) -> Recipe:
    """Describe how to run one replica on a UNIX socket, with the modules in `code`."""
    variables = service_environment(site.plan, service, site.world, os.environ)
    own = {"SHOAL_REPLICA": name.removeprefix(f"{service.name}-"), "SHOAL_LISTEN": f"unix:{socket}"}
    own |= telemetry(site.plan, service.name, name, site.world, os.environ)

    async def prepare() -> Command:
        _clear(socket)
        return runtime_command(site, name, variables | own, code)

    async def probe() -> Addresses:
        await ready(Path(socket), "/ready")
        return {"http": f"unix:{socket}"}

    return Recipe(name=name, prepare=prepare, probe=probe, ready_within=_READY_WITHIN)


def _clear(socket: str) -> None:
    Path(socket).unlink(missing_ok=True)


def runtime_command(site: Site, name: str, variables: dict[str, str], code: Path | None = None) -> Command:
    """Return the command of a process of the runtime: this interpreter and the modules in `code`, or the project's."""
    root = code or site.layout.root
    return Command(
        name=name,
        argv=(sys.executable, "-m", RUNTIME),
        cwd=root,
        env=base_environment({"PYTHONPATH": python_path(root)} | variables),
        stop_after=site.world.drain + _DRAIN_MARGIN,
    )
