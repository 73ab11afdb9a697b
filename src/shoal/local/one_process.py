"""All services of a system in one process, which is its own gateway."""

import os
import time
from dataclasses import replace

import msgspec

from shoal.errors import EngineError
from shoal.local.engines.recipe import Addresses, Recipe
from shoal.local.environment import service_environment
from shoal.local.forks import Program
from shoal.local.host import private_file
from shoal.local.ports import LOOPBACK
from shoal.local.probe import get, until
from shoal.local.process import Command, run
from shoal.local.replicas import RUNTIME, runtime_command
from shoal.local.site import Site
from shoal.local.unit import Job, Surroundings, Unit, without_machinery

_READY_WITHIN = 60.0


class Single:
    """The one process."""

    def __init__(self, site: Site, entry: str, around: Surroundings) -> None:
        self._entry, self._module = entry, entry.partition(":")[0]
        program = Program(module=RUNTIME, warm=self._module)
        self._job = Job(recipe=recipe(site, entry), kind="service", program=program)
        self._around = around
        self.unit = Unit(self._job, around)

    async def start(self) -> None:
        """Start it and keep it alive."""
        await self.unit.start()
        self.unit.keep()

    def follow(self, site: Site) -> None:
        """Start it from now on as another plan says."""
        self._job = replace(self._job, recipe=recipe(site, self._entry))
        self.unit.follow(self._job.recipe)

    async def reload(self) -> float:
        """Replace it; since its port is the gateway's, requests are refused meanwhile. Return the seconds it took.

        Raises:
            EngineError: The new code cannot be imported, and the old serves on; or the new process failed, and is
                tried again until it works.
        """
        began = time.monotonic()
        await self._check()
        fresh = Unit(self._job, self._around)
        await fresh.warm()
        old, self.unit = self.unit, fresh
        await old.stop()
        try:
            await fresh.start()
        finally:
            fresh.keep()
        return time.monotonic() - began

    async def _check(self) -> None:
        """Import the changed code aside, while the old still serves; raise `EngineError` when that fails."""
        command = await self._job.recipe.prepare()
        code = "import importlib, sys; importlib.import_module(sys.argv[1])"
        argv = (command.argv[0], "-c", code, self._module)
        finished = await run(replace(command, argv=argv))
        if finished.code:
            raise EngineError(f"{self._module} cannot be imported:\n{without_machinery(finished.output)}")


def recipe(site: Site, entry: str) -> Recipe:
    """Describe how to run them.

    Args:
        site: The plan on this machine.
        entry: ``package.module:attribute`` of the system's declaration.
    """
    plan = site.plan
    file = site.layout.home / "process.json"
    services = [service_environment(plan, s, site.world, os.environ) for s in plan.services]
    document = {"system": entry, "listen": f"tcp:{LOOPBACK}:{plan.port}", "services": services}

    async def prepare() -> Command:
        private_file(file, msgspec.json.encode(document).decode())
        return runtime_command(site, plan.system.name, {"SHOAL_PROCESS": str(file)})

    async def probe() -> Addresses:
        async def answers() -> bool | None:
            return (await get(plan.port, "/health")).status > 0 or None

        await until(answers)  # it listens only once all its services have started
        return {"http": f"http://{LOOPBACK}:{plan.port}"}

    return Recipe(name=plan.system.name, prepare=prepare, probe=probe, ready_within=_READY_WITHIN)
